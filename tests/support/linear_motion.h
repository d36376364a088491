// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

namespace rta::test {

/// A value that moves linearly from frame to frame, in double precision. It moves when dsp::Ramp does, but has its own
/// code, so that it can check it.
class LinearMotion {
 public:
    explicit LinearMotion(double value) : legs_{{.from = value, .to = value, .begin = 0, .length = 0}} {}

    /// Moves from the value at frame `begin` to `target`. Until then the previous movement continues.
    void move_to(double target, std::uint64_t begin, std::uint64_t length) {
        const double from = at(begin);
        while (legs_.size() > 1 && legs_.back().begin >= begin) legs_.pop_back();
        legs_.push_back({.from = from, .to = target, .begin = begin, .length = length});
    }
    /// Undoes a movement that has not begun at `frame`.
    void withdraw(std::uint64_t frame) {
        if (legs_.size() > 1 && frame < legs_.back().begin) legs_.pop_back();
    }

    [[nodiscard]] double target() const { return legs_.back().to; }
    [[nodiscard]] bool rests_from(std::uint64_t frame) const {
        return frame >= legs_.back().begin + legs_.back().length;
    }
    [[nodiscard]] double at(std::uint64_t frame) const {
        auto leg = legs_.rbegin();
        while (frame < leg->begin) ++leg;
        const std::uint64_t passed = frame - leg->begin;
        if (passed >= leg->length) return leg->to;
        return leg->from + (leg->to - leg->from) * static_cast<double>(passed) / static_cast<double>(leg->length);
    }

 private:
    struct Leg {
        double from;
        double to;
        std::uint64_t begin;
        std::uint64_t length;
    };
    std::vector<Leg> legs_;  ///< the first begins at 0
};

}  // namespace rta::test
