// SPDX-License-Identifier: MIT
#pragma once

#include <asio/awaitable.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <map>
#include <memory>

#include "rta/client_options.h"
#include "rta/daemon_client.h"
#include "rta/endpoint.h"

namespace rta::client {

/// Runs a DaemonClient on an executor. Calls may overlap. Reads only while a call or next_event() waits, so that a
/// caller that takes no events lets them queue in the daemon, which bounds them. Not thread-safe.
class AsyncConnection : public std::enable_shared_from_this<AsyncConnection> {
 public:
    using Pointer = std::shared_ptr<AsyncConnection>;

    /// What happens to events that arrive.
    enum class Events : std::uint8_t { discard, keep };

    /// Connects on a temporary thread, because resolving names and handshakes block.
    static asio::awaitable<Expected<Pointer>> open(Endpoints endpoints, ClientOptions options, Events events);
    AsyncConnection(asio::posix::stream_descriptor descriptor, DaemonClient client, ClientOptions options,
                    Events events);

    // Static, because an awaitable may be awaited after its connection was released by all others.
    static asio::awaitable<Expected<v1::Response>> call(Pointer self, v1::Request request);
    /// One at a time.
    static asio::awaitable<Expected<v1::Event>> next_event(Pointer self);

    /// Ends all calls in progress with `interrupted`.
    void close();

    [[nodiscard]] const DaemonClient& client() const { return client_; }
    [[nodiscard]] const ClientOptions& options() const { return options_; }

 private:
    class Call;
    class EventWait;

    void pump();
    void continue_waiting();
    [[nodiscard]] bool waits_for_input() const;
    void arm();
    void disarm_if_idle();
    void wait_until_ready(asio::posix::descriptor_base::wait_type type, bool& armed);
    void wake();

    asio::posix::stream_descriptor descriptor_;  ///< a duplicate, which the executor waits for
    DaemonClient client_;
    ClientOptions options_;
    Events events_;
    std::map<std::uint64_t, asio::steady_timer*> calls_;  ///< by id of the request; cancelled to wake the caller
    asio::steady_timer* event_wait_ = nullptr;
    bool reads_ = false;   ///< waits until descriptor_ is readable
    bool writes_ = false;  ///< waits until descriptor_ is writable
    bool closed_ = false;
};

/// Waits on an executor. Returns false if the coroutine was cancelled.
[[nodiscard]] asio::awaitable<bool> wait_for(asio::steady_timer& timer);

}  // namespace rta::client
