// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "rt/annotations.h"

namespace rta::dsp {

/// Fades in the input of a processor that outputs it later, after the fades of the edit that inserted the processor
/// have ended. The output is silence while no input can have arrived, then rises smoothly. [audio]
class Onset {
 public:
    /// Default rise time.
    static constexpr double kRiseSeconds = 0.01;

    /// Starts a fade-in at the next frame: silence, then a rise, both in frames.
    void begin(std::uint32_t silent_frames, std::uint32_t rise_frames) RTA_NONBLOCKING {
        silent_frames_ = silent_frames;
        rise_frames_ = rise_frames;
        elapsed_ = 0;
    }

    /// Returns true if the fade-in is over: soften() no longer changes the input.
    [[nodiscard]] bool over() const RTA_NONBLOCKING { return elapsed_ >= silent_frames_ + rise_frames_; }

    /// Processes one channel, starting at the current frame.
    void soften(std::span<const float> in, std::span<float> out) const RTA_NONBLOCKING {
        const std::uint64_t past = std::uint64_t{silent_frames_} + rise_frames_;
        const float step = 1.0F / static_cast<float>(std::max(rise_frames_, 1U));
        for (std::size_t i = 0; i < out.size(); ++i) {
            const std::uint64_t frame = elapsed_ + i;
            if (frame < silent_frames_) {
                out[i] = 0.0F;
            } else if (frame >= past) {
                out[i] = in[i];
            } else {
                const float part = static_cast<float>(static_cast<std::uint32_t>(frame - silent_frames_)) * step;
                out[i] = in[i] * (part * part * (3.0F - 2.0F * part));
            }
        }
    }

    /// Advances the current frame.
    void advance(std::uint32_t frames) RTA_NONBLOCKING { elapsed_ += frames; }

 private:
    std::uint32_t silent_frames_ = 0;
    std::uint32_t rise_frames_ = 0;
    std::uint64_t elapsed_ = 0;
};

}  // namespace rta::dsp
