// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dsp/ramp.h"
#include "rt/annotations.h"

namespace rta {

/// The single crossfade of the engine. All signals that a round adds or removes fade together, so that at every port
/// their factors sum to 1 at every frame. Belongs to the Renderer; successive plans of the same round continue it.
/// [audio]
class Crossfade {
 public:
    /// Starts the round number `round` at `frame` if it is not the current one. If the previous crossfade has not
    /// ended, each Presence continues from its current value.
    void start(std::uint64_t round, std::uint64_t frame, std::uint32_t length_frames) RTA_NONBLOCKING {
        if (round == round_) return;
        left_round_ = round_;
        left_at_ = progress_.value_at(frame);
        round_ = round;
        progress_ = dsp::Ramp{0.0F};
        progress_.retarget(1.0F, frame, length_frames);
    }

    [[nodiscard]] std::uint64_t round() const RTA_NONBLOCKING { return round_; }
    /// Returns how much of round `round` had passed, 0 to 1, when the current one started.
    [[nodiscard]] float passed_of(std::uint64_t round) const RTA_NONBLOCKING {
        return round == left_round_ ? left_at_ : 1.0F;
    }
    /// Returns the part of the current round that has passed: 0 to 1.
    [[nodiscard]] const dsp::Ramp& progress() const RTA_NONBLOCKING { return progress_; }

 private:
    std::uint64_t round_ = 0;  ///< rounds are numbered from 1
    dsp::Ramp progress_{1.0F};
    std::uint64_t left_round_ = 0;
    float left_at_ = 1.0F;
};

/// Factor from 0 to 1 with which a signal is present: a connection at its destination port, or a device sink at the
/// device. Moves with the Crossfade only. [audio]
class Presence {
 public:
    Presence() = default;
    explicit Presence(float value) RTA_NONBLOCKING : from_{value}, to_{value} {}

    /// Moves to `target` with the current round, or immediately. Must be called in the first block of each plan in
    /// which the presence does not rest at 1. Returns whether the signal was absent until now.
    bool move(const Crossfade& crossfade, float target, bool at_once) RTA_NONBLOCKING {
        if (crossfade.round() == round_ && target == to_) return false;
        const float now = from_ + (to_ - from_) * crossfade.passed_of(round_);
        from_ = at_once ? target : now;
        to_ = target;
        round_ = crossfade.round();
        return now == 0.0F || at_once;
    }

    /// Returns whether the presence is target() until the next plan.
    [[nodiscard]] bool at_rest(const Crossfade& crossfade, std::uint64_t frame) const RTA_NONBLOCKING {
        return from_ == to_ || crossfade.progress().at_rest(frame);
    }
    [[nodiscard]] float target() const RTA_NONBLOCKING { return to_; }
    /// Computes one value for each frame of a block from the progress of the round.
    void render(std::span<const float> progress, std::span<float> values) const RTA_NONBLOCKING {
        const float way = to_ - from_;
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = from_ + way * progress[i];
    }

 private:
    float from_ = 0.0F;
    float to_ = 0.0F;
    std::uint64_t round_ = 0;  ///< in which it last moved
};

}  // namespace rta
