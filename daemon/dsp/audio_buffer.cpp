// SPDX-License-Identifier: MIT
#include "dsp/audio_buffer.h"

#include <algorithm>
#include <new>
#include <utility>

namespace rta {

namespace {

constexpr std::size_t kSamplesPerLine = AudioBuffer::kAlignment / sizeof(float);

/// Returns the distance between the starts of two channels in samples: the frames, rounded up to whole cache lines.
constexpr std::size_t channel_stride(std::uint32_t frame_count) {
    return (std::size_t{frame_count} + kSamplesPerLine - 1) / kSamplesPerLine * kSamplesPerLine;
}

}  // namespace

void AudioBuffer::Deallocate::operator()(float* samples) const {
    ::operator delete(samples, std::align_val_t{kAlignment});
}

AudioBuffer::AudioBuffer(std::uint32_t channel_count, std::uint32_t frame_count)
    : channels_(channel_count), frame_count_{frame_count} {
    const std::size_t stride = channel_stride(frame_count);
    const std::size_t sample_count = stride * channel_count;
    // Cast: operator new implicitly creates the floats, which are implicit-lifetime types.
    samples_.reset(static_cast<float*>(::operator new(sample_count * sizeof(float), std::align_val_t{kAlignment})));
    std::fill_n(samples_.get(), sample_count, 0.0F);
    for (std::size_t index = 0; index < channels_.size(); ++index) channels_[index] = samples_.get() + index * stride;
}

AudioBuffer::AudioBuffer(AudioBuffer&& other) noexcept
    : samples_{std::move(other.samples_)},
      channels_{std::exchange(other.channels_, {})},
      frame_count_{std::exchange(other.frame_count_, 0)} {}

AudioBuffer& AudioBuffer::operator=(AudioBuffer&& other) noexcept {
    samples_ = std::move(other.samples_);
    channels_ = std::exchange(other.channels_, {});
    frame_count_ = std::exchange(other.frame_count_, 0);
    return *this;
}

void AudioBuffer::clear() RTA_NONBLOCKING {
    for (float* channel : channels_) std::fill_n(channel, frame_count_, 0.0F);
}

}  // namespace rta
