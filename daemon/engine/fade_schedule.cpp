// SPDX-License-Identifier: MIT
#include "engine/fade_schedule.h"

#include <algorithm>

namespace rta {

void FadeSchedule::plan_sent(std::uint64_t serial, const Silence& wait, const Silence& longest,
                             std::uint32_t fade_frames) {
    fades_.push_back({.serial = serial, .wait = wait, .length_frames = fade_frames});
    if (!longest.none()) silent_plans_.push_back({.serial = serial, .longest = longest});
}

void FadeSchedule::plans_adopted(std::uint64_t serial, std::uint64_t frame) {
    for (SilentPlan& plan : silent_plans_) {
        if (!plan.adopted_at && plan.serial <= serial) plan.adopted_at = frame;
    }
    begin_fades(serial, frame);
}

/// If several plans are adopted in one block, only the last is rendered, and the changes of all of them fade with it.
/// So do fades that have not started yet.
void FadeSchedule::begin_fades(std::uint64_t serial, std::uint64_t frame) {
    const auto begins = [&](const Fade& fade) { return !fade.end_frame && fade.serial <= serial; };
    if (std::ranges::none_of(fades_, begins)) return;
    Silence wait;
    std::uint32_t length_frames = 0;
    for (const Fade& fade : fades_) {
        if (fade.serial > serial) continue;
        if (begins(fade)) wait = longer(wait, fade.wait);
        length_frames = std::max(length_frames, fade.length_frames);
    }
    const std::uint64_t begin_frame = wait.end(frame);
    // Never before an earlier fade: what fades into a leaving node must not be pruned before that node.
    last_fade_end_frame_ = std::max(last_fade_end_frame_, begin_frame + length_frames);
    for (Fade& fade : fades_) {
        if (fade.serial > serial || (!begins(fade) && fade.begin_frame <= frame)) continue;
        fade.begin_frame = begin_frame;
        fade.end_frame = last_fade_end_frame_;
    }
}

bool FadeSchedule::advance(std::uint64_t frame) {
    while (!silent_plans_.empty() && silent_plans_.front().adopted_at &&
           silent_plans_.front().longest.end(*silent_plans_.front().adopted_at) <= frame) {
        silent_plans_.pop_front();
    }
    const std::uint64_t before = ended_serial_;
    while (!fades_.empty() && fades_.front().end_frame && *fades_.front().end_frame <= frame) {
        ended_serial_ = fades_.front().serial;
        fades_.pop_front();
    }
    return ended_serial_ != before;
}

Silence FadeSchedule::remaining_silence(const Silence& silence, std::uint64_t serial, std::uint64_t frame) const {
    const auto plan = std::ranges::find(silent_plans_, serial, &SilentPlan::serial);
    if (plan == silent_plans_.end()) return {};
    // Not adopted yet: the silence starts at the earliest together with the plan being compiled.
    if (!plan->adopted_at) return silence;
    const std::uint64_t end = silence.end(*plan->adopted_at);
    return end > frame ? Silence{0, end} : Silence{};
}

}  // namespace rta
