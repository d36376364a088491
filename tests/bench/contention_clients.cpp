// SPDX-License-Identifier: MIT
// The clients of contention_bench that load a daemon.
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "contention.h"
#include "support/protocol_client.h"

namespace rta::bench {

namespace {

constexpr std::size_t kThreads = 4;
constexpr std::size_t kClients = 64;
constexpr int kLowestPriority = 19;

std::string repeated(std::string_view bytes, std::size_t wanted) {
    std::string all;
    while (all.size() < wanted) all += bytes;
    return all;
}

template <class Fill>
std::string request(const Fill& fill) {
    v1::Request message;
    message.set_id(7);
    fill(message);
    return test::delimited(message);
}

std::string hello() {
    return request([](v1::Request& message) {
        message.mutable_hello()->set_protocol_version(1);
        message.mutable_hello()->set_client_name("attacker");
    });
}

/// A transaction of about 700 KB that is checked and not committed.
std::string large_check() {
    return request([](v1::Request& message) {
        v1::EditList& edits = *message.mutable_check_graph()->mutable_edits();
        for (int i = 0; i < 12'000; ++i) {
            v1::Node& node = *edits.add_edits()->mutable_add_node();
            node.set_name("checked" + std::to_string(i));
            node.set_type("gain");
            (*node.mutable_parameters())["gain_db"] = -6.0F;
        }
    });
}

std::string small_check() {
    return request([](v1::Request& message) {
        message.mutable_check_graph()->mutable_edits()->add_edits()->mutable_remove_node()->set_name("n1");
    });
}

/// The largest message, with unknown fields of two bytes.
std::string garbage() {
    constexpr std::size_t kBytes = std::size_t{4} << 20U;
    std::string payload;
    payload.reserve(kBytes);
    while (payload.size() + 3 < kBytes) payload += std::string_view{"\xA0\x06\x01", 3};
    std::string frame;
    for (std::size_t rest = payload.size(); rest != 0; rest >>= 7U)
        frame += static_cast<char>((rest & 0x7FU) | (rest >= 0x80U ? 0x80U : 0U));
    return frame + payload;
}

std::string response_of_path(std::size_t nodes) {
    return request([&](v1::Request& message) {
        v1::GetFrequencyResponse& wanted = *message.mutable_get_frequency_response();
        wanted.set_from("n0");
        wanted.set_to("n" + std::to_string(nodes - 1));
    });
}

}  // namespace

std::vector<Attack> attacks(std::size_t nodes) {
    constexpr std::size_t kBatch = 64 * 1024;
    const auto pipelined = [](const auto& fill) { return repeated(request(fill), kBatch); };
    const auto subscription = [](float rate_hz) {
        return request([&](v1::Request& message) {
            v1::Subscribe& subscribe = *message.mutable_subscribe();
            for (int topic = v1::TOPIC_CHANGES; topic <= v1::TOPIC_NODE_LOADS; ++topic)
                subscribe.add_topics(static_cast<v1::Topic>(topic));
            subscribe.set_telemetry_rate_hz(rate_hz);
        });
    };
    const auto each = [](std::string bytes) { return [bytes = std::move(bytes)](std::size_t) { return bytes; }; };
    /// Lists of 64 of 256 ports, another one for each client unless they are `shared`.
    const auto watches = [](bool shared, bool spectra) {
        return [shared, spectra](std::size_t client) {
            return request([&](v1::Request& message) {
                v1::Subscribe& subscribe = *message.mutable_subscribe();
                for (std::size_t i = 0; i < 64; ++i) {
                    v1::PortWatch& watch = *subscribe.add_watches();
                    watch.set_port("n" + std::to_string((i + (shared ? 0 : 4 * client)) % 256));
                    watch.set_spectrum(spectra && i == 0);
                }
                subscribe.set_telemetry_rate_hz(100.0F);
            });
        };
    };
    const std::string change = request([](v1::Request& message) {
        v1::SetParameter& set = *message.mutable_set_parameters()->add_changes();
        set.set_node("n1");
        set.set_parameter("gain_db");
        set.set_value(-3.0F);
    });
    const std::string many_changes = request([](v1::Request& message) {
        for (int i = 0; i < 60'000; ++i) message.mutable_set_parameters()->add_changes()->set_node("n1");
    });
    const std::string full_batch = request([](v1::Request& message) {
        for (int i = 0; i < 2'000; ++i) {
            v1::SetParameter& set = *message.mutable_set_parameters()->add_changes();
            set.set_node("n" + std::to_string(3 + i % 90));
            set.set_parameter("gain_db");
            set.set_value(-static_cast<float>(i % 60));
        }
    });
    const auto transaction = [](int edits) {
        return request([&](v1::Request& message) {
            v1::EditList& list = *message.mutable_apply_transaction()->mutable_edits();
            for (int i = 0; i < edits; ++i)
                *list.add_edits() =
                    test::set_parameter("n" + std::to_string(3 + i % 90), "gain_db", -static_cast<float>(i % 60));
        });
    };
    const auto reconnection = [](float gain_db) {
        return request([&](v1::Request& message) {
            v1::Edit edit = test::connect("n3", "n4");
            edit.mutable_connect()->set_gain_db(gain_db);
            *message.mutable_apply_transaction()->mutable_edits()->add_edits() = std::move(edit);
        });
    };
    std::string rates;
    for (int i = 0; i < 512; ++i) rates += subscription(60.0F + static_cast<float>(i) / 16.0F);
    return {
        {"get_status", kClients, {}, pipelined([](v1::Request& message) { message.mutable_get_status(); })},
        {"get_status, 1 client", 1, {}, pipelined([](v1::Request& message) { message.mutable_get_status(); })},
        {"check_graph of 700 KB", kClients, {}, large_check()},
        {"check_graph, small", kClients, {}, repeated(small_check(), kBatch)},
        {"get_frequency_response", kClients, {}, repeated(response_of_path(nodes), kBatch)},
        {"get_frequency_response of a node", kClients, {}, pipelined([](v1::Request& message) {
             message.mutable_get_frequency_response()->set_node("n0");
         })},
        {"list_node_types", kClients, {}, pipelined([](v1::Request& message) { message.mutable_list_node_types(); })},
        {"get_graph", kClients, {}, pipelined([](v1::Request& message) { message.mutable_get_graph(); })},
        {"4 MiB of unknown fields", kClients, {}, garbage()},
        {"set_parameters", kClients, each(subscription(10.0F)), repeated(change, kBatch)},
        {"set_parameters, 60,000 changes", kClients, {}, many_changes},
        {"set_parameters, 2,000 values", kClients, {}, full_batch},
        {"apply_transaction, 1 edit", kClients, {}, repeated(transaction(1), kBatch)},
        {"apply_transaction, 300 edits", kClients, {}, repeated(transaction(300), kBatch)},
        {"apply_transaction, 1 connection", kClients, {}, repeated(reconnection(-6.0F) + reconnection(0.0F), kBatch)},
        {"subscribe to everything at 100 Hz", kClients, each(subscription(100.0F)), {}},
        {"watch 64 ports at 100 Hz", kClients, watches(false, true), {}},
        {"watch the same 64 ports at 100 Hz", kClients, watches(true, true), {}},
        {"subscribe at changing rates", kClients, {}, rates},
        {"get_status, unread",
         kClients,
         {},
         pipelined([](v1::Request& message) { message.mutable_get_status(); }),
         false},
        {.name = "Hello, and again", .clients = kClients, .reconnects = true},
    };
}

struct Attackers::Connection {
    std::size_t client;  ///< its number
    os::UniqueFd socket{};
    std::string once{};
    std::size_t sent = 0;  ///< of `once`, then of the repeated bytes
};

namespace {

os::UniqueFd connect_to(const std::filesystem::path& path) {
    os::UniqueFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("cannot connect to " + path.string());
    ::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
    return socket;
}

}  // namespace

Attackers::Attackers(const std::filesystem::path& socket, const Attack& attack) : socket_{socket}, attack_{attack} {
    connections_.resize(kThreads);
    for (std::size_t i = 0; i < attack.clients; ++i) connections_[i % kThreads].push_back(connect(i));
    for (auto& connections : connections_) threads_.emplace_back([this, &connections] { run(connections); });
}

Attackers::Connection Attackers::connect(std::size_t client) const {
    return {.client = client,
            .socket = connect_to(socket_),
            .once = hello() + (attack_.once ? attack_.once(client) : std::string{})};
}

Attackers::~Attackers() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
}

void Attackers::run(std::vector<Connection>& connections) {
    ::setpriority(PRIO_PROCESS, 0, kLowestPriority);
    std::vector<char> discarded(std::size_t{256} << 10U);
    while (!stop_ && !connections.empty()) {
        std::vector<pollfd> waits;
        for (const Connection& connection : connections) {
            const bool sends = !connection.once.empty() || !attack_.bytes.empty();
            waits.push_back({.fd = connection.socket.get(),
                             .events = static_cast<short>((sends ? POLLOUT : 0) | (attack_.reads ? POLLIN : 0)),
                             .revents = 0});
        }
        ::poll(waits.data(), waits.size(), 50);
        for (std::size_t i = 0; i < connections.size(); ++i) {
            Connection& connection = connections[i];
            if ((waits[i].revents & POLLIN) != 0) {
                const ssize_t count = ::recv(connection.socket.get(), discarded.data(), discarded.size(), 0);
                if (count > 0) received_ += static_cast<std::uint64_t>(count);
                if (count > 0 && attack_.reconnects) waits[i].revents = POLLHUP;
            }
            if ((waits[i].revents & POLLOUT) == 0) continue;
            const std::string& bytes = connection.once.empty() ? attack_.bytes : connection.once;
            const ssize_t count = ::send(connection.socket.get(), bytes.data() + connection.sent,
                                         bytes.size() - connection.sent, MSG_NOSIGNAL);
            if (count <= 0) continue;
            connection.sent += static_cast<std::size_t>(count);
            if (connection.sent < bytes.size()) continue;
            connection.sent = 0;
            connection.once.clear();
        }
        for (std::size_t i = connections.size(); i-- > 0;) {  // a client that was disconnected comes back
            if ((waits[i].revents & (POLLERR | POLLHUP)) != 0) connections[i] = connect(connections[i].client);
        }
    }
}

}  // namespace rta::bench
