// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/client.h"
#include "api/services.h"

namespace rta::api {

/// Runs the requests of all clients, each by the row of its kind in request_table.h, and drives what they share: the
/// engine's events, and the queues of clients that wait. Has no sockets and no timer. [control]
class Dispatcher {
 public:
    /// All arguments must outlive the dispatcher.
    Dispatcher(Engine& engine, DaemonAccess& daemon, Workers& workers, Clock clock = &std::chrono::steady_clock::now,
               const ClientLimits& limits = {})
        : services_{engine, daemon, workers, std::move(clock), limits} {}
    Dispatcher(const Dispatcher&) = delete;
    Dispatcher& operator=(const Dispatcher&) = delete;

    /// Returns a new client, which must be destroyed or closed before the dispatcher.
    [[nodiscard]] std::shared_ptr<Client> connect(Entry entry = {});

    /// Polls the engine, completes answers that are due or late, and resumes clients that wait.
    void tick();
    /// Returns how long the next tick() may be delayed.
    [[nodiscard]] std::chrono::microseconds interval() const;
    /// The time that clients share. After ControlTime::on_pass_over(), begin_pass() must be called as soon as everything
    /// else that is ready has been served.
    [[nodiscard]] ControlTime& time() { return services_.time; }
    /// `busy` is called when interval() may have become shorter outside of tick().
    void on_busy(std::function<void()> busy) { services_.on_wake = std::move(busy); }

    /// `faulted` is called with the name of every node that is muted because it produced NaN or infinity.
    void on_node_fault(std::function<void(const std::string& node)> faulted) {
        services_.commands.on_node_fault(std::move(faulted));
    }

    /// `refused` is called with the address of every client that was not admitted, and the reason. No text contains a
    /// token.
    void on_failed_attempt(std::function<void(const std::string& address, const Error& reason)> refused) {
        services_.on_failed_attempt = std::move(refused);
    }

    /// Returns the metrics of the daemon: see metrics/openmetrics.h. For peers whose identity has at least the role read.
    [[nodiscard]] std::string metrics() const;

    void device_changed(const DeviceStatus& device);
    void xruns(const XrunCounts& counts, std::uint64_t frame) { services_.telemetry.xruns(counts, frame); }
    /// Stops the engine from using the workers, which are about to stop.
    void release_engine();
    /// Fades the device output to silence, and calls `done` at its end.
    void fade_out(float length_ms, std::function<void()> done);

    [[nodiscard]] const EventHub& hub() const { return services_.hub; }
    /// Returns the number of clients that have not been refused.
    [[nodiscard]] std::size_t client_count() const { return services_.clients.size(); }

    // For clients.

    [[nodiscard]] Services& services() { return services_; }
    /// Returns why the client may not make the request, if it may not: the only place where roles are checked. The kind of
    /// the request must be known.
    [[nodiscard]] static std::optional<Error> find_denial(const Call& call);
    /// Starts the preparation of a request on a worker.
    void prepare(const Call& call);
    /// Runs the request whose turn it is, if it may run now. Returns whether its turn is over; otherwise the client is
    /// resumed when it may run.
    [[nodiscard]] bool dispatch(Call& call);

 private:
    void resume_waiting(TimePoint now);
    void end_expired_sessions(TimePoint now);

    Services services_;
    TimePoint next_expiry_check_{};
};

}  // namespace rta::api
