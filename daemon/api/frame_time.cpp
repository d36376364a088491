// SPDX-License-Identifier: MIT
#include "api/frame_time.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "engine/renderer.h"

namespace rta::api {
namespace {

/// Two clocks that are read within this time show the same moment.
constexpr std::chrono::microseconds kOneMoment{5};
constexpr int kMostReads = 8;

/// Reads CLOCK_MONOTONIC and UTC. If the thread is interrupted in between, UTC would seem to be later: the shortest of some
/// attempts counts.
void read_clocks(const std::function<TimePoint()>& clock, const DaemonAccess& daemon, FrameTime::Now& now) {
    auto shortest = TimePoint::duration::max();
    for (int read = 0; read < kMostReads && shortest > kOneMoment; ++read) {
        const TimePoint begin = clock();
        const std::int64_t utc_us = daemon.utc_us();
        const auto took = clock() - begin;
        if (took >= shortest) continue;
        shortest = took;
        const auto since_boot = (begin + took / 2).time_since_epoch();
        now.monotonic_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(since_boot).count();
        now.utc_us = utc_us;
    }
}

}  // namespace

std::uint64_t FrameTime::Now::frame_after(double later_ns) const {
    return static_cast<std::uint64_t>(std::llround(std::max(0.0, frame + later_ns / frame_ns)));
}

std::int64_t FrameTime::Now::utc_of(std::uint64_t at_frame) const {
    return utc_us + std::llround(ns_until(at_frame) / 1e3);
}

FrameTime::Now FrameTime::now() {
    const EngineConfig& config = engine_.config();
    Now now{.frame = static_cast<double>(engine_.renderer().frames()),
            .monotonic_ns = 0,
            .utc_us = 0,
            .frame_ns = 1e9 / config.sample_rate_hz,
            .callback_frames = config.block_size};
    read_clocks(clock_, daemon_, now);
    if (const auto line = engine_.renderer().clock().line()) {
        now.frame = line->frame_at(now.monotonic_ns);
        now.frame_ns = line->frame_ns;
        now.callback_frames = std::max(config.block_size, static_cast<std::uint32_t>(line->limit - line->frame));
    }
    now.frame = latest_frame_ = std::max(now.frame, latest_frame_);
    return now;
}

}  // namespace rta::api
