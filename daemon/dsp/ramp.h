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
    explicit Ramp(float value, Shape shape = Shape::linear) RTA_NONBLOCKING : start_{value}, target_{value}, shape_{shape} {}

    /// Starts at `start_frame` from whatever the value is there; arrives at `target` `length_frames` later.
    void retarget(float target, std::uint64_t start_frame, std::uint32_t length_frames) RTA_NONBLOCKING;

    [[nodiscard]] float target() const RTA_NONBLOCKING { return target_; }
    /// True from the first frame at which the value is the target and stays there.
    [[nodiscard]] bool at_rest(std::uint64_t frame) const RTA_NONBLOCKING { return frame >= end_frame_; }
    [[nodiscard]] float value_at(std::uint64_t frame) const RTA_NONBLOCKING;
    /// Writes the values of frames `frame` to `frame + values.size() - 1`. values.size() is a multiple of 4.
    void render(std::uint64_t frame, std::span<float> values) const RTA_NONBLOCKING;

 private:
    float start_ = 0.0F;
    float target_ = 0.0F;
    float step_ = 0.0F;  ///< linear: per frame; logarithmic: octaves per frame
    Shape shape_ = Shape::linear;
    bool bent_ = false;  ///< logarithmic, and both ends allow it
    std::uint64_t start_frame_ = 0;
    std::uint64_t end_frame_ = 0;
};

}  // namespace rta::dsp
