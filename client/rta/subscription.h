// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rta/client_options.h"
#include "rta/error.h"
#include "rta/v1/control.pb.h"

namespace rta {

namespace client {
struct Endpoints;
}

/// An output port whose signal is measured.
struct WatchedPort {
    std::string port;       ///< NODE:PORT, or NODE for its only output
    bool spectrum = false;  ///< measures the spectrum, too
};

struct SubscribeOptions {
    /// Empty: all topics except TOPIC_NODE_LOADS; none if there are watches.
    std::vector<v1::Topic> topics{};
    /// Rate of TOPIC_LEVELS and TOPIC_LOAD events and of the levels of ports, 1 to 100 Hz; 10 if omitted.
    std::optional<float> telemetry_rate_hz{};
    /// Names of nodes, at most 256: only changes that concern one of them or no particular node, and levels and node loads
    /// without other nodes. Empty: all, which a GraphMirror needs.
    std::vector<std::string> nodes{};
    /// Ports whose levels are sent as events `port_levels`; at most 64.
    std::vector<WatchedPort> watches{};
    /// Pauses before attempts to reconnect: the first is at most this long, each further one up to twice as long.
    std::chrono::milliseconds shortest_pause{100};
    std::chrono::milliseconds longest_pause{5000};
};

/// The state of the daemon. What a program has derived from earlier items is replaced by it.
struct Resync {
    enum class Reason : std::uint8_t {
        started,    ///< the first item
        restarted,  ///< the daemon was restarted: `instance_id` is another one
        missed,     ///< the daemon no longer keeps missed changes, or this version does not know the kind of a change
    };
    Reason reason{};
    std::string instance_id{};
    /// The graph as a message, with its revision and change number. All later changes follow as events.
    v1::GraphResult graph{};
    /// Device, volume, mute and the rest. At least as new as the graph.
    v1::StatusResult status{};
    /// Constant as long as the instance is the same.
    std::shared_ptr<const v1::NodeTypesResult> types{};
};

using SubscriptionItem = std::variant<v1::Event, Resync>;

/// A subscription to the events of a daemon, with a connection of its own. Not thread-safe, except for interrupt().
///
/// Reconnects when the connection is lost, for as long as it takes. If the daemon is the same instance, the events continue
/// with those that were missed: it keeps the latest 10,000 changes. Otherwise, the next item is a Resync. The first item is
/// a Resync, too. Applied in order, the items therefore always give the daemon's graph; see GraphMirror. Without
/// TOPIC_CHANGES, there are no Resyncs.
///
/// Only next() reads from the connection. A daemon disconnects a client that leaves too many changes unread; the
/// subscription then reconnects.
class Subscription {
 public:
    /// Connects and subscribes. Does not retry: it returns the errors of Client::connect().
    [[nodiscard]] static client::Expected<Subscription> open(std::string_view address = {},
                                                             SubscribeOptions subscribe = {},
                                                             ClientOptions options = {});
    Subscription(Subscription&&) noexcept;
    Subscription& operator=(Subscription&&) noexcept;
    ~Subscription();

    /// Waits for the next item, without limit or up to `timeout`. Errors: timeout; interrupted; an error that a retry
    /// cannot be expected to repair, such as a refused token. A further call tries again after any of them.
    [[nodiscard]] client::Expected<SubscriptionItem> next(std::optional<std::chrono::milliseconds> timeout = {});

    /// Ends the current call of next(), or else the following one, with the error `interrupted`. [any]
    void interrupt();

 private:
    struct Impl;
    explicit Subscription(std::unique_ptr<Impl> impl);
    friend class Client;
    static client::Expected<Subscription> open_at(client::Endpoints endpoints, SubscribeOptions subscribe,
                                                  ClientOptions options);

    std::unique_ptr<Impl> impl_;
};

}  // namespace rta
