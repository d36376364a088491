// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "dsp/audio_buffer.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// Delays all channels by a fixed number of frames, bit-exact. The output starts with silence.
class FixedDelay {
 public:
    /// Maximum block size in frames. Block sizes are powers of two.
    static constexpr std::uint32_t kMaximumBlock = 1024;

    /// A `delay_frames` of 0 copies the input. [control]
    FixedDelay(std::uint32_t channel_count, std::uint32_t delay_frames);

    [[nodiscard]] std::uint32_t delay_frames() const RTA_NONBLOCKING { return delay_frames_; }

    /// Processes one block of one channel. `out` may be `in`. Call once for each channel, then advance(). [audio]
    void process(std::uint32_t channel, std::span<const float> in, std::span<float> out) RTA_NONBLOCKING;
    /// Advances to the next block, after all channels were processed. [audio]
    void advance(std::uint32_t block_size) RTA_NONBLOCKING;

 private:
    std::uint32_t delay_frames_;
    AudioBuffer ring_;            ///< channels x a multiple of every block size
    std::uint32_t position_ = 0;  ///< where the next block is written
};

}  // namespace rta::dsp
