// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>

#include "api/daemon_access.h"
#include "api/waiter.h"
#include "engine/engine.h"

namespace rta::api {

/// Relates the engine's sample clock to CLOCK_MONOTONIC and UTC. Between two device callbacks, the frame is estimated from
/// a smoothed line (engine/frame_clock.h). Without a device, the clock stands still. [control]
class FrameTime {
 public:
    /// A moment in the three clocks.
    struct Now {
        double frame;
        std::int64_t monotonic_ns;
        std::int64_t utc_us;
        double frame_ns;                ///< duration of a frame, by the device's clock
        std::uint32_t callback_frames;  ///< of the device; a block before the first callback

        /// Returns the frame at a time that many nanoseconds later; 0 for a time before frame 0.
        [[nodiscard]] std::uint64_t frame_after(double later_ns) const;
        [[nodiscard]] std::uint64_t frame_of_utc(std::int64_t at_utc_us) const {
            return frame_after(1e3 * static_cast<double>(at_utc_us - utc_us));
        }
        /// Returns the time from now until a frame, in nanoseconds; negative for an earlier one.
        [[nodiscard]] double ns_until(std::uint64_t at_frame) const {
            return (static_cast<double>(at_frame) - frame) * frame_ns;
        }
        [[nodiscard]] std::int64_t utc_of(std::uint64_t at_frame) const;
    };

    FrameTime(const Engine& engine, const DaemonAccess& daemon, std::function<TimePoint()> clock)
        : engine_{engine}, daemon_{daemon}, clock_{std::move(clock)} {}

    /// Returns the present moment. The frame never decreases.
    [[nodiscard]] Now now();

 private:
    const Engine& engine_;
    const DaemonAccess& daemon_;
    std::function<TimePoint()> clock_;
    double latest_frame_ = 0.0;
};

}  // namespace rta::api
