// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "plan/silence.h"

namespace rta {

/// When the fades of the plans that were sent begin and end, and how long what they brought is silent. Plans are known
/// by the serial of the command that carried them. [control]
class FadeSchedule {
 public:
    /// A plan was sent. `wait`: before its fades begin. `longest`: the longest silence of what it brings.
    void plan_sent(std::uint64_t serial, const Silence& wait, const Silence& longest, std::uint32_t fade_frames);
    /// Every plan up to `serial` was adopted at the top of the block that begins at `frame`.
    void plans_adopted(std::uint64_t serial, std::uint64_t frame);
    /// The engine's clock is at `frame`. Returns whether fades have ended since the last call.
    bool advance(std::uint64_t frame);

    /// The last plan whose fades have ended. They end in the order in which they began.
    [[nodiscard]] std::uint64_t ended_serial() const { return ended_serial_; }
    /// Of a silence that the plan `serial` brought, at that frame.
    [[nodiscard]] Silence left_of(const Silence& silence, std::uint64_t serial, std::uint64_t frame) const;

 private:
    /// What a plan began.
    struct Fade {
        std::uint64_t serial;
        Silence wait;
        std::uint32_t length_frames;
        // Known when the plan has been adopted:
        std::uint64_t begin_frame = 0;
        std::optional<std::uint64_t> end_frame{};
    };
    /// A plan that brought something which is silent at first.
    struct SilentPlan {
        std::uint64_t serial;
        Silence longest;
        std::optional<std::uint64_t> adopted_at{};  ///< frame
    };

    void begin_fades(std::uint64_t serial, std::uint64_t frame);

    std::deque<Fade> fades_;               ///< by serial
    std::deque<SilentPlan> silent_plans_;  ///< by serial; those that are not over
    std::uint64_t last_fade_end_frame_ = 0;
    std::uint64_t ended_serial_ = 0;
};

}  // namespace rta
