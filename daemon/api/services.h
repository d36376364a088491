// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/change_log.h"
#include "api/confirmation/confirmation.h"
#include "api/control_time.h"
#include "api/daemon_access.h"
#include "api/events/event_hub.h"
#include "api/events/port_watches.h"
#include "api/events/telemetry.h"
#include "api/failed_attempts.h"
#include "api/fairness.h"
#include "api/history/history.h"
#include "api/large_requests.h"
#include "api/limits.h"
#include "api/load/load_prediction.h"
#include "api/output_control.h"
#include "api/pending_commands.h"
#include "api/processor_time.h"
#include "api/requests/device_query.h"
#include "api/scenes/scenes.h"
#include "api/schedule.h"
#include "api/session_tokens.h"
#include "api/workers.h"
#include "engine/engine.h"

namespace rta::api {

class Client;

using Clock = std::function<TimePoint()>;

/// Returns the function that measures what clients use of the control thread.
[[nodiscard]] inline ControlTime::Used time_used(const EngineConfig& config, const Clock& clock) {
    if (config.thread_time_s == nullptr) return [clock] { return clock().time_since_epoch(); };
    const auto processor = [thread_time_s = config.thread_time_s] {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>{thread_time_s()});
    };
    const auto time = std::make_shared<ProcessorTime>([clock] { return clock().time_since_epoch(); }, processor);
    return [time] { return time->used(); };
}

/// State shared by all clients, for the handlers of requests. [control]
struct Services {
    Services(Engine& shared_engine, DaemonAccess& shared_daemon, Workers& shared_workers, Clock shared_clock,
             const ClientLimits& given_limits)
        : engine{shared_engine},
          daemon{shared_daemon},
          workers{shared_workers},
          clock{std::move(shared_clock)},
          limits{given_limits} {
        engine.build_on([&pool = workers](std::function<void()> build, auto done) {
            pool.run("rebuilding processors", std::move(build), std::move(done), Workers::Lane::urgent);
        });
    }
    Services(const Services&) = delete;
    Services& operator=(const Services&) = delete;

    /// Returns the current graph, with a number of a change up to which it contains every change of the graph and of
    /// parameters.
    [[nodiscard]] SharedGraphSnapshot snapshot() const { return engine.snapshot(hub.number()); }

    /// Must be called when Dispatcher::interval() may have become shorter.
    void wake() const {
        if (on_wake) on_wake();
    }

    /// Ends the access of the clients for which `why` returns an error. Returns the number of sessions that this ends:
    /// those of refused clients end anyway.
    std::size_t end_sessions(const std::function<std::optional<Error>(const Client&)>& why);

    Engine& engine;
    DaemonAccess& daemon;
    Workers& workers;
    Clock clock;
    const ClientLimits limits;
    EventHub hub{random_instance_id(), limits.kept_bytes};
    PendingCommands commands{engine, hub};
    OutputControl output{engine, daemon, hub, commands};
    History history{engine, workers, [this] {
                        daemon.graph_changed();
                        changes.history_changed();
                    }};
    ChangeLog changes{daemon, hub, history, clock};
    Confirmation confirmation{engine, daemon, hub, history, changes, commands, workers, clock, [this] { wake(); }};
    LoadPrediction load{engine, daemon, workers, clock, [this] { wake(); }};
    Schedule schedule{engine,   daemon, hub,     history, confirmation,      changes,
                      commands, load,   workers, clock,   [this] { wake(); }};
    Scenes scenes{engine, daemon, hub, workers, clock, limits.scenes, [this] { wake(); }};
    Telemetry telemetry{engine, daemon, limits.telemetry_rates};
    PortWatches watches{engine, limits};
    DeviceQuery devices{daemon};
    SessionTokens sessions;
    FailedAttempts failed_attempts;
    RoomQueue plan_room{&RoomAccounts::plans};            ///< transactions
    RoomQueue parameter_room{&RoomAccounts::parameters};  ///< parameter changes
    ProgressQueue progress_queue;                         ///< transactions
    ControlTime time{time_used(engine.config(), clock), clock, limits.slice};
    LargeRequests large_requests{engine, workers};
    std::size_t pending_bytes = 0;        ///< memory of the requests of all clients
    std::size_t subscribers = 0;          ///< clients
    std::uint64_t telemetry_dropped = 0;  ///< of clients that have disconnected
    const TimePoint start = clock();
    std::vector<Client*> clients;  ///< in the order in which they connected; without those that were refused
    std::vector<Client*> refused;  ///< that are still connected: what they have sent before may still be executed
    std::function<void()> on_wake;
    std::function<void(const std::string& address, const Error& reason)> on_failed_attempt;
};

}  // namespace rta::api
