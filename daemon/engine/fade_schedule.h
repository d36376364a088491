// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "plan/silence.h"

namespace rta {

/// Tracks when the fades of the plans that were sent start and end, and how long the nodes and connections that they
/// added stay silent. A plan is identified by the serial of the command that carried it. [control]
class FadeSchedule {
 public:
    /// Records that a plan was sent. Its fades start after `wait`; `longest` is the longest silence of what it adds.
    void plan_sent(std::uint64_t serial, const Silence& wait, const Silence& longest, std::uint32_t fade_frames);
    /// Records that all plans up to `serial` were adopted at the top of the block that starts at `frame`.
    void plans_adopted(std::uint64_t serial, std::uint64_t frame);
    /// Advances to `frame` of the engine's clock. Returns whether fades have ended since the last call.
    bool advance(std::uint64_t frame);

    /// Returns the last plan whose fades have ended. Fades end in the order in which they started.
    [[nodiscard]] std::uint64_t ended_serial() const { return ended_serial_; }
    /// Returns what is left at `frame` of a silence that started with the plan `serial`.
    [[nodiscard]] Silence remaining_silence(const Silence& silence, std::uint64_t serial, std::uint64_t frame) const;

 private:
    /// The fades of one plan.
    struct Fade {
        std::uint64_t serial;
        Silence wait;
        std::uint32_t length_frames;
        // Known once the plan has been adopted:
        std::uint64_t begin_frame = 0;
        std::optional<std::uint64_t> end_frame{};
    };
    /// A plan that added something which is silent at first.
    struct SilentPlan {
        std::uint64_t serial;
        Silence longest;
        std::optional<std::uint64_t> adopted_at{};  ///< frame
    };

    void begin_fades(std::uint64_t serial, std::uint64_t frame);

    std::deque<Fade> fades_;               ///< by serial
    std::deque<SilentPlan> silent_plans_;  ///< by serial; those whose silence is not over
    std::uint64_t last_fade_end_frame_ = 0;
    std::uint64_t ended_serial_ = 0;
};

}  // namespace rta
