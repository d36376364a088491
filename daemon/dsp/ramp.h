// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "rt/annotations.h"
#include "rt/cache_line.h"

namespace rta::dsp {

/// Value that moves from one number to another. It is computed from the frame index, not by accumulation: the result
/// for a frame does not depend on the block size and does not drift. Start and target are reached exactly.
class alignas(kCacheLine) Ramp {
 public:
    enum class Shape : std::uint8_t {
        linear,       ///< equal steps
        logarithmic,  ///< equal ratios (frequencies); linear if an end is not greater than 0
    };

    Ramp() = default;
    explicit Ramp(float value, Shape shape = Shape::linear) RTA_NONBLOCKING
        : leg_{.start = value, .target = value, .shape = shape} {}

    /// Moves from the value at `start_frame` to `target` in `length_frames` frames; length 0 is a step. `start_frame`
    /// may be in the future: until then the previous movement continues.
    void retarget(float target, std::uint64_t start_frame, std::uint32_t length_frames) RTA_NONBLOCKING;

    /// Undoes the last retarget() if it has not started at `frame`; the previous movement continues.
    void withdraw(std::uint64_t frame) RTA_NONBLOCKING {
        if (frame < leg_.start_frame) leg_ = previous_;
    }

    [[nodiscard]] float target() const RTA_NONBLOCKING { return leg_.target; }
    /// Returns true if the value is the target at `frame` and all later frames.
    [[nodiscard]] bool at_rest(std::uint64_t frame) const RTA_NONBLOCKING { return frame >= leg_.end_frame(); }
    [[nodiscard]] float value_at(std::uint64_t frame) const RTA_NONBLOCKING;
    /// Writes the values of frames `frame` to `frame + values.size() - 1`, bit-identical to value_at().
    void render(std::uint64_t frame, std::span<float> values) const RTA_NONBLOCKING;

 private:
    /// One movement from a number to another.
    struct Leg {
        float start = 0.0F;
        float target = 0.0F;
        double step = 0.0;  ///< per frame; in octaves if bent
        std::uint64_t start_frame = 0;
        std::uint32_t length_frames = 0;
        bool bent = false;  ///< logarithmic, and both ends are greater than 0
        Shape shape = Shape::linear;

        [[nodiscard]] std::uint64_t end_frame() const RTA_NONBLOCKING { return start_frame + length_frames; }
        [[nodiscard]] float value_at(std::uint64_t frame) const RTA_NONBLOCKING;
        void render(std::uint64_t frame, std::span<float> values) const RTA_NONBLOCKING;
        void render_moving(std::uint64_t frame, std::span<float> values) const RTA_NONBLOCKING;
    };

    Leg leg_;
    Leg previous_;  ///< applies until leg_ starts
};
static_assert(sizeof(Ramp) == kCacheLine, "a block with many ramps is limited by the cache lines that it reads");

}  // namespace rta::dsp
