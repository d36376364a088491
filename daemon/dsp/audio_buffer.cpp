// SPDX-License-Identifier: MIT
#include "dsp/audio_buffer.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace rta {

namespace {

constexpr std::size_t kSamplesPerLine = AudioBuffer::kAlignment / sizeof(float);

/// Returns the distance between the starts of two channels in samples: the frames, rounded up to whole cache lines.
constexpr std::size_t channel_stride(std::uint32_t frame_count) {
    return (std::size_t{frame_count} + kSamplesPerLine - 1) / kSamplesPerLine * kSamplesPerLine;
}

#ifdef RTA_EXACT_BLOCKS

float* allocate(std::size_t bytes) {
    // Cast: operator new implicitly creates the floats, which are implicit-lifetime types.
    return static_cast<float*>(::operator new(bytes, std::align_val_t{AudioBuffer::kAlignment}));
}

void deallocate(float* samples) { ::operator delete(samples, std::align_val_t{AudioBuffer::kAlignment}); }

#else

/// Writes in front of the aligned memory where its block begins. The aligned operator new is not used: glibc 2.36 hardly
/// reuses the blocks that it has split for an alignment, so a client that adds and removes nodes would make the heap grow.
float* allocate(std::size_t bytes) {
    constexpr std::size_t kAlignment = AudioBuffer::kAlignment;
    auto* const block = static_cast<std::byte*>(::operator new(sizeof(std::byte*) + kAlignment + bytes));
    const auto after_header = reinterpret_cast<std::uintptr_t>(block) + sizeof block;
    const std::size_t padding = (kAlignment - after_header % kAlignment) % kAlignment;
    std::byte* const aligned = block + sizeof block + padding;
    std::memcpy(aligned - sizeof block, &block, sizeof block);
    return reinterpret_cast<float*>(aligned);  // as above
}

void deallocate(float* samples) {
    std::byte* block = nullptr;
    std::memcpy(&block, reinterpret_cast<std::byte*>(samples) - sizeof block, sizeof block);
    ::operator delete(block);
}

#endif

}  // namespace

void AudioBuffer::Deallocate::operator()(float* samples) const { deallocate(samples); }

AudioBuffer::AudioBuffer(std::uint32_t channel_count, std::uint32_t frame_count)
    : channels_(channel_count), frame_count_{frame_count} {
    const std::size_t stride = channel_stride(frame_count);
    const std::size_t sample_count = stride * channel_count;
    samples_.reset(allocate(sample_count * sizeof(float)));
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
