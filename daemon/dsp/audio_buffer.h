// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "dsp/audio_view.h"
#include "rt/annotations.h"

namespace rta {

/// Planar float32 samples, channels x frames, of a size fixed for ever: allocated, zeroed and so pre-faulted once when
/// it is built, and reused from then on. Every channel begins on a boundary of 64 bytes: a cache line, and the widest
/// SIMD register there is.
///
/// Move-only. A moved-from buffer has no channels.
class AudioBuffer {
 public:
    /// Bytes that the address of every channel is a multiple of.
    static constexpr std::size_t kAlignment = 64;

    AudioBuffer() = default;
    /// Silence. [control]
    AudioBuffer(std::uint32_t channel_count, std::uint32_t frame_count);
    AudioBuffer(AudioBuffer&& other) noexcept;
    AudioBuffer& operator=(AudioBuffer&& other) noexcept;
    AudioBuffer(const AudioBuffer&) = delete;
    AudioBuffer& operator=(const AudioBuffer&) = delete;
    ~AudioBuffer() = default;

    [[nodiscard]] std::uint32_t channel_count() const RTA_NONBLOCKING {
        return static_cast<std::uint32_t>(channels_.size());
    }
    [[nodiscard]] std::uint32_t frame_count() const RTA_NONBLOCKING { return frame_count_; }

    /// Views stay good until the buffer is destroyed: moving it moves no sample.
    [[nodiscard]] AudioWriteView write() RTA_NONBLOCKING { return {channels_.data(), channel_count(), frame_count_}; }
    [[nodiscard]] AudioReadView read() const RTA_NONBLOCKING {
        return {channels_.data(), channel_count(), frame_count_};
    }

    /// Back to silence. [any]
    void clear() RTA_NONBLOCKING;

 private:
    struct Deallocate {
        void operator()(float* samples) const;
    };

    std::unique_ptr<float[], Deallocate> samples_;
    std::vector<float*> channels_;  ///< into samples_
    std::uint32_t frame_count_ = 0;
};

}  // namespace rta
