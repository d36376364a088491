// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/renderer.h"
#include "io/audio_device.h"
#include "io/block_adapter.h"
#include "io/device_kind.h"
#include "io/device_request.h"
#include "io/task_thread.h"
#include "rt/audio_thread.h"
#include "status/status.h"
#include "text/error.h"

namespace rta::io {

/// Ensures that the engine always has a clock: opens the requested device, watches it, and replaces it with the
/// fallback kind when it is lost.
///
/// All calls into audio libraries run on a dedicated thread; a hang there does not affect the rest of the daemon. All
/// functions: [control].
class DeviceSupervisor {
 public:
    using Clock = std::chrono::steady_clock;
    /// Schedules a function to run later on the control thread. Called on the device thread.
    using Post = std::function<void(std::function<void()>)>;

    class Observer {
     public:
        virtual ~Observer() = default;
        /// Another device drives the engine; `sentence` gives the reason.
        virtual void device_changed(const std::string& sentence) = 0;
        /// Reports the xruns since the last call, or since the device was given the engine. The latest one occurred at
        /// `frame` of the engine's clock.
        virtual void device_xruns(const XrunCounts& counts, std::uint64_t frame) = 0;
        /// Reports a problem that does not stop the device.
        virtual void device_warning(const std::string& sentence) = 0;
    };

    /// All arguments must outlive the supervisor, and `gate` and `renderer` must outlive every callback: see stop().
    DeviceSupervisor(AudioThreadGate& gate, Renderer& renderer, Observer& observer, Post post, DeviceKinds kinds,
                     const DriverLog& log = {});
    DeviceSupervisor(const DeviceSupervisor&) = delete;
    DeviceSupervisor& operator=(const DeviceSupervisor&) = delete;
    /// Waits for the device thread. Must not run after stop() has returned false.
    ~DeviceSupervisor();

    /// Opens the device and gives it the engine, then calls `started` once: before returning if the calls of the kind
    /// do not block, otherwise later. `auto` always starts, if necessary on the fallback kind with a warning. Errors
    /// name every device that was tried and the reason for its refusal.
    void start(const DeviceRequest& request, std::function<void(Expected<void>)> started);

    /// Watches the device. Returns the time until the next call.
    std::chrono::milliseconds poll(Clock::time_point now);

    [[nodiscard]] DeviceStatus status() const;
    /// Returns the load of the last second.
    [[nodiscard]] LoadStatus load() const { return current_.device ? load_.load() : LoadStatus{}; }
    [[nodiscard]] SchedulingStatus scheduling() const;

    /// Lists the devices of all kinds and calls `done` later on the control thread. May take seconds.
    void list(std::function<void(Expected<std::vector<DeviceInfo>>)> done);

    /// Stops the device, waiting for its driver at most `limit`. Returns true if no callback can occur any more and no
    /// library was used, so that everything may be destroyed. If it returns false, the process must end with _Exit: a
    /// library may still hang or make callbacks. Later calls only repeat the result.
    [[nodiscard]] bool stop(std::chrono::milliseconds limit);
    /// Returns true after stop() if the device's recording is incomplete, as a warning has reported.
    [[nodiscard]] bool failed() const { return current_.device && current_.device->failed(); }

 private:
    /// A device and the adapter that it calls. Destroyed only after the device was stopped.
    struct Running {
        const DeviceKind* kind = nullptr;
        std::unique_ptr<BlockAdapter> adapter;
        std::unique_ptr<AudioDevice> device;
    };
    /// Result of the device thread: a running device that waits for its grant, or the reasons why there is none.
    struct Opening {
        Running running{};
        std::string refusals{};                   ///< of the devices that failed, a sentence each
        ErrorCode code = ErrorCode::unavailable;  ///< of the last refusal
        bool any_tried = false;                   ///< at least one device was found and tried
    };
    using Started = std::function<void(Expected<void>)>;
    /// State of the watch over the current device.
    struct Watch {
        std::uint64_t callbacks = 0;
        Clock::time_point progress{};  ///< when the number of callbacks last changed
        Clock::time_point asked{};     ///< when the driver was last asked whether the stream runs
        std::uint32_t latency_frames = 0;
        XrunCounts xruns;                     ///< reported to the observer
        XrunCounts xruns_logged;              ///< reported in a warning
        Clock::time_point xruns_log_pause{};  ///< earliest time of the next warning
        Clock::time_point load_taken{};
    };

    [[nodiscard]] Opening open_device(const DeviceRequest& request) const;
    void try_kind(const DeviceKind& kind, const DeviceRequest& request, Opening& opening) const;
    [[nodiscard]] Expected<Running> try_candidate(const DeviceKind& kind,
                                                  const DeviceDriver::Candidate& candidate) const;
    [[nodiscard]] Running make_running(const DeviceKind& kind, std::unique_ptr<AudioDevice> device) const;
    void opened(Opening opening);
    void no_device(Opening opening);
    [[nodiscard]] Expected<void> start_directly(const DeviceKind& kind, const DeviceRequest& request);
    [[nodiscard]] Expected<void> start_fallback(DeviceRequest request);
    [[nodiscard]] std::string fallback_sentence() const;
    [[nodiscard]] bool can_be_lost() const { return current_.kind->calls == DriverCalls::may_block; }
    void watch(Clock::time_point now);
    void ask_driver();
    void lose(const std::string& why);
    void report_warnings();
    void begin_watch();
    void report_xruns(Clock::time_point now);
    void report_last_xruns();
    void notify_xruns(const XrunCounts& counts);
    void log_xruns(const XrunCounts& counts);
    void measure_load(Clock::time_point now);

    AudioThreadGate& gate_;
    Renderer& renderer_;
    Observer& observer_;
    Post post_;
    DeviceDrivers drivers_;
    DeviceRequest request_;
    Started started_;  ///< empty unless a device is being opened
    Clock::time_point opening_since_{};
    Running current_;
    std::vector<Running> given_up_;  ///< lost devices, whose drivers may still make callbacks
    Watch watch_;
    LoadHistory load_;
    std::string fallback_reason_;
    bool library_used_ = false;  ///< a driver whose calls may block was used
    bool stopped_ = false;
    TaskThread device_thread_;  ///< last: its tasks use the members above
};

}  // namespace rta::io
