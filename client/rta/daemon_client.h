// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "frame/frame_codec.h"
#include "rta/deadline.h"
#include "rta/endpoint.h"
#include "rta/error.h"
#include "rta/socket.h"
#include "rta/v1/control.pb.h"

namespace rta::client {

inline constexpr std::uint32_t kProtocolVersion = 1;

struct ClientOptions {
    std::string client_name = "librta";  ///< shown to other clients and in the daemon's log, at most 128 bytes
    std::string token{};                 ///< the local sockets ask for none
    /// How long connecting, and each call, may take.
    std::chrono::milliseconds timeout = std::chrono::seconds{10};
};

/// A conversation with one daemon, for one thread at a time. No call waits longer than its deadline.
///
///     auto connection = rta::client::DaemonClient::open(rta::client::local_endpoints());
///     rta::v1::Request request;
///     request.mutable_get_status();
///     auto response = connection->call(std::move(request));
///
/// Requests may be pipelined: send() several, then receive() each. Events may arrive between responses; they are kept,
/// in their order, until next_event() takes them, so whoever subscribes must read them.
///
/// After an Error of kind lost, refused or protocol the conversation is over and every further call repeats that error;
/// after a timeout it goes on, and the late response is thrown away.
class DaemonClient {
 public:
    /// Says Hello to the first of `endpoints` that accepts. cannot_connect names each address and why it did not
    /// answer; refused is the daemon's answer to Hello (another protocol version, a wrong token).
    [[nodiscard]] static Expected<DaemonClient> open(std::span<const Endpoint> endpoints,
                                                     const ClientOptions& options = {});

    /// What the daemon answered to Hello.
    [[nodiscard]] const v1::HelloResult& daemon() const { return daemon_; }
    [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
    /// How long each of the calls that follow may take.
    void set_timeout(std::chrono::milliseconds timeout) { timeout_ = timeout; }

    /// send() and receive(). The Status of the response is for the caller to look at.
    [[nodiscard]] Expected<v1::Response> call(v1::Request request);

    /// Sends `request` under an id of its own, which it returns. Takes in responses and events meanwhile, so that two
    /// sides that both have much to say cannot wait for each other.
    [[nodiscard]] Expected<std::uint64_t> send(v1::Request request);
    /// The response to what send() gave this id; each can be received once. Returns `interrupted` as soon as
    /// `interrupt_descriptor` is readable (-1: none); the response can be received afterwards.
    [[nodiscard]] Expected<v1::Response> receive(std::uint64_t id, int interrupt_descriptor = -1);

    /// The next event. Returns `interrupted` as soon as `interrupt_descriptor` is readable (-1: none).
    [[nodiscard]] Expected<v1::Event> next_event(const Deadline& deadline, int interrupt_descriptor = -1);

 private:
    DaemonClient(Socket socket, Endpoint endpoint, std::chrono::milliseconds timeout)
        : socket_{std::move(socket)}, endpoint_{std::move(endpoint)}, timeout_{timeout} {}

    Expected<void> say_hello(const ClientOptions& options);
    Expected<void> exchange(const Deadline& deadline, int interrupt_descriptor);
    Expected<void> read_some();
    void write_some();
    Expected<void> take_frames();
    Expected<void> take_message(std::string_view payload);
    Expected<void> take_response(v1::Response response);
    std::unexpected<Error> end(Error::Kind kind, std::string sentence, v1::Code code = v1::OK);

    Socket socket_;
    Endpoint endpoint_;
    std::chrono::milliseconds timeout_;
    v1::HelloResult daemon_;

    FrameDecoder decoder_;
    std::string outgoing_;
    std::size_t outgoing_taken_ = 0;  ///< bytes at the front of outgoing_ that are sent

    std::uint64_t last_id_ = 0;
    std::deque<std::uint64_t> awaited_;  ///< ids sent and not answered, in order
    std::set<std::uint64_t> abandoned_;  ///< those of awaited_ whose receive() gave up
    std::map<std::uint64_t, v1::Response> responses_;
    std::deque<v1::Event> events_;
    std::optional<Error> end_;  ///< why the conversation is over
};

}  // namespace rta::client
