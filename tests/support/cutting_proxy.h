// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "os/unique_fd.h"
#include "support/loopback_listener.h"

namespace rta::test {

/// What a proxy does with one direction of a connection.
struct Damage {
    static constexpr std::size_t kNever = static_cast<std::size_t>(-1);
    std::size_t cut_after_bytes = kNever;  ///< forwards this many bytes, then cuts the connection
    std::size_t chunk_bytes = 65'536;      ///< forwards at most this many bytes at a time; 1: byte by byte
    std::chrono::microseconds delay{0};    ///< before each chunk
};

/// Forwards TCP connections from a loopback port to a daemon, and damages them as the test decides. Thread-safe.
class CuttingProxy {
 public:
    /// What happens to one connection.
    struct Plan {
        Damage to_daemon{};
        Damage to_client{};
        bool reset = false;  ///< cut with a TCP reset instead of an orderly end
    };
    /// Decides about connection number `index`, from 0. Called by a thread of the proxy, for one connection at a time.
    using Planner = std::function<Plan(std::size_t index)>;

    /// The daemon listens at 127.0.0.1:`port`.
    CuttingProxy(std::uint16_t port, Planner planner);
    /// The daemon listens on a Unix socket.
    CuttingProxy(std::string socket_path, Planner planner);
    CuttingProxy(const CuttingProxy&) = delete;
    CuttingProxy& operator=(const CuttingProxy&) = delete;
    /// Cuts all connections.
    ~CuttingProxy();

    [[nodiscard]] std::uint16_t port() const { return listener_.port(); }
    /// Returns HOST:PORT.
    [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port()); }
    /// Returns the number of connections that the proxy, not a peer, has cut.
    [[nodiscard]] std::size_t cuts() const;
    /// Returns the number of connections so far.
    [[nodiscard]] std::size_t connections() const;
    /// Cuts all current connections.
    void cut_all();

 private:
    struct Connection {
        os::UniqueFd client;
        os::UniqueFd daemon;
        Plan plan;
        int open_directions = 2;  ///< guarded by mutex_
        bool cut = false;         ///< guarded by mutex_
    };

    void add(os::UniqueFd client);
    [[nodiscard]] os::UniqueFd connect_to_daemon() const;
    void forward(Connection& connection, int from, int to, const Damage& damage);
    void end_direction(Connection& connection);
    void cut(Connection& connection);

    std::uint16_t daemon_port_ = 0;
    std::string socket_path_;
    Planner planner_;

    mutable std::mutex mutex_;  ///< guards the following members
    std::list<Connection> connections_;
    std::vector<std::thread> forwarders_;
    std::size_t cuts_ = 0;
    LoopbackListener listener_{[this](os::UniqueFd client) { add(std::move(client)); }};
};

}  // namespace rta::test
