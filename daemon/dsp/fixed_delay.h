// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "dsp/audio_buffer.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// Delays all its channels by a fixed number of frames, bit for bit; silence comes first.
class FixedDelay {
 public:
    /// Frames come in blocks of a power of two of at most this.
    static constexpr std::uint32_t kMaximumBlock = 1024;

    /// `delay_frames` of 0 copies. [control]
    FixedDelay(std::uint32_t channel_count, std::uint32_t delay_frames);

    [[nodiscard]] std::uint32_t delay_frames() const RTA_NONBLOCKING { return delay_frames_; }

    /// A block of one channel; `out` may be `in`. Every channel once, then advance(). [audio]
    void process(std::uint32_t channel, std::span<const float> in, std::span<float> out) RTA_NONBLOCKING;
    /// All channels have had their block. [audio]
    void advance(std::uint32_t block_size) RTA_NONBLOCKING;

 private:
    std::uint32_t delay_frames_;
    AudioBuffer ring_;            ///< channels x a multiple of every block size
    std::uint32_t position_ = 0;  ///< where the next block is written
};

}  // namespace rta::dsp
