// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "rt/annotations.h"

namespace rta::dsp {

/// A value on its way from one number to another, computed from the frame index and not by accumulation: the same frame
/// gives the same bits whatever the block size, and nothing drifts. Both ends are met exactly.
class Ramp {
 public:
    enum class Shape : std::uint8_t {
        linear,       ///< equal steps
        logarithmic,  ///< equal ratios (frequencies); falls back to linear where an end is not above zero
    };

    Ramp() = default;
    explicit Ramp(float value, Shape shape = Shape::linear) RTA_NONBLOCKING : leg_{.start = value, .target = value},
                                                                              shape_{shape} {}

    /// Starts at `start_frame` from whatever the value is there; arrives at `target` `length_frames` later. Length 0
    /// jumps. `start_frame` may lie ahead of the frames asked for next: until then the value goes on as it did.
    void retarget(float target, std::uint64_t start_frame, std::uint32_t length_frames) RTA_NONBLOCKING;

    /// Takes back a retarget() that has not started at `frame`: the value goes on as it would have without it.
    void withdraw(std::uint64_t frame) RTA_NONBLOCKING {
        if (frame < leg_.start_frame) leg_ = previous_;
    }

    [[nodiscard]] float target() const RTA_NONBLOCKING { return leg_.target; }
    /// True from the first frame at which the value is the target and stays there.
    [[nodiscard]] bool at_rest(std::uint64_t frame) const RTA_NONBLOCKING { return frame >= leg_.end_frame; }
    [[nodiscard]] float value_at(std::uint64_t frame) const RTA_NONBLOCKING;
    /// Writes the values of frames `frame` to `frame + values.size() - 1`, the bits that value_at() gives.
    void render(std::uint64_t frame, std::span<float> values) const RTA_NONBLOCKING;

 private:
    /// One way from a number to another.
    struct Leg {
        float start = 0.0F;
        float target = 0.0F;
        double step = 0.0;  ///< per frame: of the value, or, if bent, in octaves
        bool bent = false;  ///< logarithmic, and both ends allow it
        std::uint64_t start_frame = 0;
        std::uint64_t end_frame = 0;

        [[nodiscard]] float value_at(std::uint64_t frame) const RTA_NONBLOCKING;
        void render(std::uint64_t frame, std::span<float> values) const RTA_NONBLOCKING;
    };

    Leg leg_;
    Leg previous_;  ///< in force until leg_ starts
    Shape shape_ = Shape::linear;
};

}  // namespace rta::dsp
