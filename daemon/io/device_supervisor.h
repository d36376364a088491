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
#include "io/device_host.h"
#include "io/device_request.h"
#include "io/null_device.h"
#include "io/task_thread.h"
#include "rt/audio_thread.h"
#include "text/error.h"

namespace rta::io {

/// Sees to it that the engine always has a clock: opens the device that is wanted, watches it, and puts the null device
/// in its place when it is lost.
///
/// Every call into a host library is made by a thread of its own, which may hang there for ever without harm to
/// anybody. All functions: [control].
class DeviceSupervisor {
 public:
    using Clock = std::chrono::steady_clock;
    /// Runs a function on the control thread, later. Called by the device thread.
    using Post = std::function<void(std::function<void()>)>;

    class Observer {
     public:
        virtual ~Observer() = default;
        /// Another device drives the engine; `sentence` says what happened.
        virtual void device_changed(const std::string& sentence) = 0;
        /// Since the last call, or since the device was given the engine; the latest of them at `frame` of the engine's
        /// clock.
        virtual void device_xruns(const XrunCounts& counts, std::uint64_t frame) = 0;
        /// Something that the user should know, and that is no error of his.
        virtual void device_warning(const std::string& sentence) = 0;
    };

    /// Everything given must outlive the supervisor, and `gate` and `renderer` every callback: see stop().
    DeviceSupervisor(AudioThreadGate& gate, Renderer& renderer, Observer& observer, Post post,
                     std::unique_ptr<DeviceHost> host);
    DeviceSupervisor(const DeviceSupervisor&) = delete;
    DeviceSupervisor& operator=(const DeviceSupervisor&) = delete;
    /// Waits for the device thread: never destroy one whose stop() said false.
    ~DeviceSupervisor();

    /// Opens the device and gives it the engine; then calls `started`: for the null device before it returns, else
    /// later. Called once. `auto` always starts, if need be on the null device with a warning. Errors name every device
    /// that was tried, and why not.
    void start(const DeviceRequest& request, std::function<void(Expected<void>)> started);

    /// Watches. Returns how soon it wants to be called again.
    std::chrono::milliseconds poll(Clock::time_point now);

    [[nodiscard]] DeviceStatus status() const;
    /// Load of the last second.
    [[nodiscard]] LoadStatus load() const { return current_.device ? load_.load() : LoadStatus{}; }
    [[nodiscard]] SchedulingStatus scheduling() const;

    /// Calls `done` later, on the control thread, when the host has looked: that may take seconds.
    void list(std::function<void(Expected<std::vector<DeviceInfo>>)> done);

    /// Ends the device, waiting for the host no longer than `limit`. True if no callback can come any more and no
    /// host library was touched, so that everything may be destroyed. False: the process must end by _Exit, for a host
    /// library may still hang or still call. Later calls only repeat the answer.
    [[nodiscard]] bool stop(std::chrono::milliseconds limit);
    /// After stop(): what the device was to record is not whole, as a warning has said.
    [[nodiscard]] bool failed() const { return current_.device && current_.device->failed(); }

 private:
    /// A device and what it calls. Destroyed only where the device was stopped.
    struct Running {
        std::unique_ptr<BlockAdapter> adapter;
        std::unique_ptr<AudioDevice> device;
    };
    /// What the device thread came back with: a device that runs and waits for its grant, or why there is none.
    struct Opening {
        Running running;
        std::string refusals;                     ///< of the devices that did not do, a sentence each
        ErrorCode code = ErrorCode::unavailable;  ///< of the last of them
        bool tried = false;                       ///< there were devices to refuse
    };
    using Started = std::function<void(Expected<void>)>;
    /// What the watch over a device remembers.
    struct Watch {
        std::uint64_t callbacks = 0;
        Clock::time_point progress{};  ///< when the number of callbacks last changed
        Clock::time_point asked{};     ///< when the host was last asked
        std::uint32_t latency_frames = 0;
        XrunCounts xruns;                     ///< told to the observer
        XrunCounts xruns_logged;              ///< told in a warning
        Clock::time_point xruns_log_pause{};  ///< no further warning before
        Clock::time_point load_taken{};
    };

    [[nodiscard]] Opening open_host_device(const DeviceRequest& request) const;
    [[nodiscard]] Opening try_candidates(const DeviceRequest& request) const;
    [[nodiscard]] Expected<Running> try_candidate(const DeviceHost::Candidate& candidate) const;
    void opened(Opening opening);
    void no_device(Opening opening);
    [[nodiscard]] Expected<void> start_null(const NullDevice::Config& config);
    void watch(Clock::time_point now);
    void ask_host();
    void lose(const std::string& why);
    void report_warnings();
    void begin_watch();
    void report_xruns(Clock::time_point now);
    void report_last_xruns();
    void tell_xruns(const XrunCounts& counts);
    void log_xruns(const XrunCounts& counts);
    void measure_load(Clock::time_point now);

    AudioThreadGate& gate_;
    Renderer& renderer_;
    Observer& observer_;
    Post post_;
    std::unique_ptr<DeviceHost> host_;
    DeviceRequest request_;
    Started started_;  ///< empty unless a device is being opened
    Clock::time_point opening_since_{};
    Running current_;
    std::vector<Running> given_up_;  ///< devices whose host may still call
    Watch watch_;
    LoadHistory load_;
    std::string fallback_reason_;
    bool host_drives_ = false;  ///< the current device belongs to the host: it can be lost
    bool host_used_ = false;
    bool stopped_ = false;
    TaskThread device_thread_;  ///< last: its tasks use what is above
};

}  // namespace rta::io
