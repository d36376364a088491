// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "io/load_meter.h"
#include "io/running_device.h"
#include "status/status.h"

namespace rta::io {

/// Receives reports on the device. [control]
class DeviceObserver {
 public:
    virtual ~DeviceObserver() = default;
    /// Another device drives the engine, or what rtad does about a lost device has changed.
    virtual void device_changed() = 0;
    /// Reports the xruns since the last call, or since the device was given the engine. The latest one occurred at
    /// `frame` of the engine's clock.
    virtual void device_xruns(const XrunCounts& counts, std::uint64_t frame) = 0;
    /// Reports a problem.
    virtual void device_warning(const std::string& sentence) = 0;
    /// Reports that a problem is solved, or that a request was carried out.
    virtual void device_note(const std::string& sentence) = 0;
};

/// Watches the device that drives the engine: its callbacks, dropouts, load and warnings. [control]
class DeviceWatch {
 public:
    using Clock = std::chrono::steady_clock;

    explicit DeviceWatch(DeviceObserver& observer) : observer_{observer} {}

    /// Begins to watch a device. What was counted before is not reported.
    void begin(const RunningDevice& running, Clock::time_point now);
    /// Reports what has happened since the last call.
    void report(const RunningDevice& running, Clock::time_point now);
    /// Reports the last xruns and warnings of a device that no longer drives the engine.
    void report_last(const RunningDevice& running);
    /// Returns the time for which the device has made no callback, if that is longer than it may take. Call it
    /// regularly.
    [[nodiscard]] std::optional<Clock::duration> stall(const RunningDevice& running, Clock::time_point now);
    /// Continues to watch a device that makes callbacks again after a stall of this length: from now on, it may take
    /// twice as long. `reported`: the dropouts that have been reported.
    void resume(const RunningDevice& running, Clock::time_point now, Clock::duration stalled,
                const XrunCounts& reported);

    /// Returns the load of the last second.
    [[nodiscard]] LoadStatus load() const noexcept { return load_.load(); }

 private:
    void report_warnings(const RunningDevice& running);
    void notify_xruns(const RunningDevice& running, const XrunCounts& counts);
    void log_xruns(const RunningDevice& running, const XrunCounts& counts);

    DeviceObserver& observer_;
    std::uint64_t callbacks_ = 0;
    Clock::time_point looked_{};   ///< last call of stall()
    Clock::duration stalled_{0};   ///< time without a callback
    Clock::duration patience_{0};  ///< time that it may take at least
    std::uint32_t latency_frames_ = 0;
    XrunCounts xruns_;                     ///< reported to the observer
    XrunCounts xruns_logged_;              ///< reported in a warning
    Clock::time_point xruns_log_pause_{};  ///< earliest time of the next warning
    Clock::time_point load_taken_{};
    LoadHistory load_;
};

}  // namespace rta::io
