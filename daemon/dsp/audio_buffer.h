// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "dsp/audio_view.h"
#include "rt/annotations.h"

namespace rta {

/// Planar float32 samples, channels x frames. The size is fixed: the memory is allocated, zeroed and thereby
/// pre-faulted in the constructor. Every channel starts on a 64-byte boundary: a cache line, and the widest SIMD
/// register.
///
/// Move-only. A moved-from buffer has no channels.
class AudioBuffer {
 public:
    /// Alignment of every channel in bytes.
    static constexpr std::size_t kAlignment = 64;

    AudioBuffer() = default;
    /// Allocates a silent buffer. [control]
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

    /// Returns a view of all samples. Views are valid until the buffer is destroyed; moving the buffer does not move
    /// the samples.
    [[nodiscard]] AudioWriteView write() RTA_NONBLOCKING { return {channels_.data(), channel_count(), frame_count_}; }
    [[nodiscard]] AudioReadView read() const RTA_NONBLOCKING {
        return {channels_.data(), channel_count(), frame_count_};
    }

    /// Sets all samples to 0. [any]
    void clear() RTA_NONBLOCKING;

 private:
    struct Deallocate {
        void operator()(float* samples) const;
    };

    std::unique_ptr<float[], Deallocate> samples_;
    std::vector<float*> channels_;  ///< pointers into samples_
    std::uint32_t frame_count_ = 0;
};

}  // namespace rta
