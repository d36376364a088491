// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/renderer.h"
#include "io/device_kind.h"
#include "io/device_opening.h"
#include "io/device_request.h"
#include "io/device_watch.h"
#include "io/running_device.h"
#include "io/task_thread.h"
#include "rt/audio_thread.h"
#include "status/status.h"
#include "text/error.h"

namespace rta::io {

/// Ensures that the engine always has a clock: opens the requested device, watches it, replaces it with the fallback
/// kind when it is lost, and tries to open it again until it succeeds.
///
///     closed --start--> opening --opened--> running --lost, or another one is requested--> lost
///                        ^    \--refused--> waiting                                      |
///                        |                   |  ^                                        |
///                        +----- retry -------+  +--------- closed by its driver ---------+
///
/// From the first device on, some device drives the engine in every state: in `lost`, `opening` and `waiting` the
/// fallback does. A device that people hear fades in when it is given the engine, and out when it is taken away.
///
/// All calls into audio libraries run on a thread for each library; one that hangs does not affect the rest of the
/// daemon, nor the other libraries, except that PortAudio calls libjack while it searches for devices. All functions:
/// [control].
class DeviceSupervisor {
 public:
    using Clock = DeviceWatch::Clock;
    using Observer = DeviceObserver;
    /// Schedules a function to run later on the control thread. Called on the device threads.
    using Post = std::function<void(std::function<void()>)>;
    using Done = std::function<void(Expected<void>)>;
    using Now = std::function<Clock::time_point()>;

    enum class State : std::uint8_t {
        closed,   ///< no device was requested yet, or the first one was refused
        opening,  ///< the driver opens the requested device
        running,  ///< the requested device drives the engine
        lost,     ///< the device no longer drives the engine; its driver closes it, unless it only stalls
        waiting,  ///< for the time of the next attempt to open it
    };

    /// All arguments must outlive the supervisor, and `gate` and `renderer` must outlive every callback: see stop().
    DeviceSupervisor(AudioThreadGate& gate, Renderer& renderer, Observer& observer, Post post, DeviceKinds kinds,
                     const DriverLog& log = {}, Now now = &Clock::now);
    DeviceSupervisor(const DeviceSupervisor&) = delete;
    DeviceSupervisor& operator=(const DeviceSupervisor&) = delete;
    /// Waits for the device threads. Must not run after stop() has returned false.
    ~DeviceSupervisor();

    /// Opens the first device and gives it the engine, then calls `done` once: before returning if the calls of the
    /// kind do not block, otherwise later. `auto` always starts, if necessary on the fallback kind with a warning.
    /// Errors name every device that was tried and the reason for its refusal.
    void start(const DeviceRequest& request, Done done);
    /// Replaces the device by another one, then calls `done` once. The current one fades out and is closed before the
    /// other one is opened, because both may use the same card. If that fails, the current one is opened again.
    /// ABORTED during another change.
    void change(const DeviceRequest& request, Done done);
    /// Closes and opens the requested device, or tries now to open one that is lost. As change().
    void reopen(Done done);

    /// Watches the device and takes the next step. Returns the time until the next call.
    std::chrono::milliseconds poll();

    [[nodiscard]] State state() const noexcept { return state_; }
    /// What was last requested, and not refused.
    [[nodiscard]] const DeviceRequest& request() const noexcept { return request_; }
    [[nodiscard]] DeviceStatus status() const;
    /// Returns the load of the last second.
    [[nodiscard]] LoadStatus load() const { return current_ ? watch_.load() : LoadStatus{}; }
    [[nodiscard]] SchedulingStatus scheduling() const;

    /// Lists the devices of all kinds and calls `done` later on the control thread. May take seconds.
    void list(std::function<void(Expected<std::vector<DeviceInfo>>)> done);

    /// Stops the device, waiting for the drivers at most `limit`. Returns true if no callback can occur any more and no
    /// library was used, so that everything may be destroyed. If it returns false, the process must end with _Exit: a
    /// library may still hang or make callbacks. Later calls only repeat the result.
    [[nodiscard]] bool stop(std::chrono::milliseconds limit);
    /// Returns true if a recording is incomplete, as a warning has reported. Final after stop().
    [[nodiscard]] bool failed() const { return recording_failed_ || (current_ && current_.device->failed()); }

 private:
    /// A kind with its driver and the thread for the calls of the driver.
    struct Host {
        const DeviceKind* kind;
        std::unique_ptr<DeviceDriver> driver;
        bool used = false;     ///< the thread has had a task
        unsigned devices = 0;  ///< live ones that exist; the thread's

        /// Destroys a device that has been stopped. [device thread]
        void destroy(RunningDevice& running);
        /// An unused library must not keep memory, nor remain an idle client of a sound server. [device thread]
        void close_if_unused() {
            if (devices == 0) driver->close();
        }

        TaskThread thread{};  ///< last: its tasks use the driver
    };
    /// A request that has not been answered.
    struct Change {
        Done done;
        std::optional<DeviceRequest> previous;  ///< nullopt for the first device
        Clock::time_point since;
    };
    /// An attempt to open the requested device: one kind after the other.
    struct Attempt {
        DeviceRequest request;
        std::vector<const DeviceKind*> kinds;
        std::size_t next = 0;
        Opening opening{};                    ///< the device thread's, until it has posted tried()
        std::atomic<bool> cancelled = false;  ///< relaxed: nothing is ordered by it
    };
    struct Listing;

    [[nodiscard]] Host& host_of(const DeviceKind& kind) const;
    [[nodiscard]] DrivenEngine engine() const { return {gate_, renderer_}; }

    void open();
    void open_directly(const DeviceKind& kind);
    void try_kind(const std::shared_ptr<Attempt>& attempt);
    void tried(const std::shared_ptr<Attempt>& attempt);
    void attach(RunningDevice running, const std::string& refusals);
    void refused(const Opening& opening);
    void refuse_first(const Opening& opening);
    void refuse_change(const Opening& opening);
    void wait(const std::string& refusal);
    void cancel_attempt();
    void begin_switch();
    [[nodiscard]] RunningDevice take_away(const std::string& why);
    void lose(const std::string& why);
    void hold(Clock::duration stalled);
    void watch_held(Clock::time_point now);
    void resume(Clock::time_point now);
    void release_held();
    void closed(unsigned loss);
    void retire(RunningDevice running, const std::function<void()>& then = {});
    [[nodiscard]] Expected<void> start_fallback();
    [[nodiscard]] Clock::duration fade_limit() const;
    void serve();
    void answer(Expected<void> result);
    void check_limits(Clock::time_point now);
    [[nodiscard]] std::string fallback_sentence() const;
    void list_next(const std::shared_ptr<Listing>& listing);

    AudioThreadGate& gate_;
    Renderer& renderer_;
    Observer& observer_;
    Post post_;
    Now now_;

    State state_ = State::closed;
    DeviceRequest request_;
    std::optional<Change> change_;
    std::shared_ptr<Attempt> attempt_;  ///< of the state `opening`
    RunningDevice current_;             ///< drives the engine
    bool on_fallback_ = false;          ///< current_ replaces the requested device
    RunningDevice held_;                ///< makes no callbacks at present; kept for a while, should it make some again
    std::uint64_t held_callbacks_ = 0;  ///< when it was taken away
    Clock::duration held_stall_{0};     ///< time without callbacks before it was taken away
    XrunCounts held_xruns_;             ///< reported before it was taken away
    DeviceRequest fallback_request_;    ///< with the channels and the rate of the device that it replaces
    DeviceWatch watch_;

    std::string loss_;     ///< why the requested device does not run; empty while it does
    std::string refusal_;  ///< the reason of the last attempt that failed since then
    unsigned losses_ = 0;
    Clock::time_point lost_since_{};
    Clock::time_point opening_since_{};
    Clock::time_point next_attempt_{};
    std::optional<Clock::time_point> fading_since_;  ///< current_ fades out for a change
    bool hang_reported_ = false;                     ///< of the present attempt
    bool serving_ = false;                           ///< the driver's thread serves a device

    bool recording_failed_ = false;
    bool stopped_ = false;
    bool ended_ = true;                         ///< no thread of a driver was still busy after stop()
    std::vector<std::unique_ptr<Host>> hosts_;  ///< last: their tasks use the members above
};

/// Returns `closed`, `opening`, `running`, `lost` or `waiting`.
[[nodiscard]] const char* name_of(DeviceSupervisor::State state) noexcept;

}  // namespace rta::io
