// SPDX-License-Identifier: MIT
#include "api/frame_time.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "engine/renderer.h"

namespace rta::api {

std::uint64_t FrameTime::Now::frame_after(double later_ns) const {
    return static_cast<std::uint64_t>(std::llround(std::max(0.0, frame + later_ns / frame_ns)));
}

std::int64_t FrameTime::Now::utc_of(std::uint64_t at_frame) const {
    return utc_us + std::llround(ns_until(at_frame) / 1e3);
}

FrameTime::Now FrameTime::now() {
    const EngineConfig& config = engine_.config();
    const auto since_boot = clock_().time_since_epoch();
    Now now{.frame = static_cast<double>(engine_.renderer().frames()),
            .monotonic_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(since_boot).count(),
            .utc_us = daemon_.utc_us(),
            .frame_ns = 1e9 / config.sample_rate_hz,
            .callback_frames = config.block_size};
    if (const auto line = engine_.renderer().clock().line()) {
        now.frame = line->frame_at(now.monotonic_ns);
        now.frame_ns = line->frame_ns;
        now.callback_frames = std::max(config.block_size, static_cast<std::uint32_t>(line->limit - line->frame));
    }
    now.frame = latest_frame_ = std::max(now.frame, latest_frame_);
    return now;
}

}  // namespace rta::api
