// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "frame/frame_codec.h"
#include "rta/byte_stream.h"
#include "rta/client_options.h"
#include "rta/deadline.h"
#include "rta/endpoint.h"
#include "rta/error.h"
#include "rta/tls_options.h"
#include "rta/v1/control.pb.h"

namespace rta::client {

inline constexpr std::uint32_t kProtocolVersion = 1;

/// Replaces a one-time code, which the daemon accepts once, with the token of the session that has begun with it.
void keep_session(ClientOptions& options, const v1::HelloResult& hello);

/// A client of one daemon. Not thread-safe. No call waits longer than its timeout or deadline.
///
///     auto client = rta::client::DaemonClient::open(rta::client::local_endpoints());
///     rta::v1::Request request;
///     request.mutable_get_status();
///     auto response = client->call(std::move(request));
///
/// Requests may be pipelined: send() several, then receive() each. Events that arrive between responses are queued, in
/// order, until next_event() takes them. Beyond kMaximumEventBytes the oldest are dropped, which next_event() reports.
///
/// After an error of kind lost, refused or protocol the client is disconnected, and every further call returns the same
/// error. After a timeout the client can be used further; the late response is discarded.
class DaemonClient {
 public:
    /// Memory of the events that are queued, unless it is a single one.
    static constexpr std::size_t kMaximumEventBytes = std::size_t{16} << 20U;

    /// Connects to the first of `endpoints` that accepts, and sends Hello, all within the timeout. Errors: cannot_connect
    /// lists each address with the reason; untrusted says why the certificate of a daemon is not accepted; bad_certificate
    /// says why the certificate of this client cannot be used; refused is the daemon's response to Hello (another protocol
    /// version, an invalid token), or its refusal of that certificate.
    [[nodiscard]] static Expected<DaemonClient> open(std::span<const Endpoint> endpoints,
                                                     const ClientOptions& options = {});

    /// Sends Hello on a stream that is already connected. `endpoint` names the daemon in errors.
    [[nodiscard]] static Expected<DaemonClient> open(std::unique_ptr<ByteStream> stream, Endpoint endpoint,
                                                     const ClientOptions& options = {});

    /// The daemon's response to Hello.
    [[nodiscard]] const v1::HelloResult& hello() const { return hello_; }
    [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
    /// Sets the timeout of each further call, send() and receive().
    void set_timeout(std::chrono::milliseconds timeout) { timeout_ = timeout; }

    /// Sends a request and receives its response, whose status the caller must check. A response may have an error and
    /// a result: the change is committed, but was not confirmed in time. A response OK without the result of its request is
    /// an error of kind protocol.
    [[nodiscard]] Expected<v1::Response> call(v1::Request request);

    /// Sends a request and returns the id assigned to it. Also takes in responses and events, so that client and daemon
    /// cannot block each other when both have much to send.
    [[nodiscard]] Expected<std::uint64_t> send(v1::Request request);
    /// Receives the response to the request with this id, once. Returns `interrupted` when `interrupt_descriptor`
    /// becomes readable (-1: none); the response can then be received later.
    [[nodiscard]] Expected<v1::Response> receive(std::uint64_t id, int interrupt_descriptor = -1);

    /// Returns the next event. `timeout`: no event was received before the deadline. `missed`, once: events before the next
    /// one were dropped, because too many were unread; what was learnt from events must be read again. `interrupted`: the
    /// `interrupt_descriptor` is readable (-1: none).
    [[nodiscard]] Expected<v1::Event> next_event(const Deadline& deadline, int interrupt_descriptor = -1);

    // For a caller that waits for the stream itself, with an event loop. These do not wait.

    /// Queues a request for poll(), and returns the id assigned to it.
    [[nodiscard]] Expected<std::uint64_t> enqueue(v1::Request request);
    /// Moves some bytes in both directions. Returns `timeout` if no byte could be moved: wait until descriptor() is
    /// readable, or writable if wants_to_write().
    /// `missed`, once: as for next_event().
    [[nodiscard]] Expected<void> poll();
    [[nodiscard]] int descriptor() const { return stream_->descriptor(); }
    [[nodiscard]] bool wants_to_write() const { return !outgoing_.empty() || stream_->holds_output(); }
    [[nodiscard]] bool has_response(std::uint64_t id) const { return responses_.contains(id); }
    [[nodiscard]] bool has_event() const { return !events_.empty(); }
    /// Return what poll() has received, once.
    [[nodiscard]] std::optional<v1::Response> take_response(std::uint64_t id);
    [[nodiscard]] std::optional<v1::Event> take_event();
    /// Discards the response to a request, now or when it arrives.
    void abandon(std::uint64_t id);
    /// Returns the error of a call whose response has not arrived in time.
    [[nodiscard]] Error no_response_within(std::chrono::milliseconds time) const;
    /// Returns why the client is disconnected.
    [[nodiscard]] const std::optional<Error>& end() const { return end_; }

 private:
    DaemonClient(std::unique_ptr<ByteStream> stream, Endpoint endpoint, std::chrono::milliseconds timeout)
        : stream_{std::move(stream)}, endpoint_{std::move(endpoint)}, timeout_{timeout} {}

    static Expected<DaemonClient> open(std::unique_ptr<ByteStream> stream, Endpoint endpoint,
                                       const ClientOptions& options, const Deadline& deadline);
    /// Returns `missed`, once, if events were dropped.
    [[nodiscard]] Expected<void> take_dropped();
    Expected<void> say_hello(const ClientOptions& options, const Deadline& deadline);
    Expected<v1::Response> call(v1::Request request, const Deadline& deadline);
    Expected<std::uint64_t> send(v1::Request request, const Deadline& deadline);
    Expected<v1::Response> receive(std::uint64_t id, const Deadline& deadline, int interrupt_descriptor);
    Expected<void> exchange(const Deadline& deadline, int interrupt_descriptor);
    Expected<void> read_some();
    void write_some();
    Expected<void> take_frames();
    Expected<void> take_message(std::string_view payload);
    Expected<void> take_response(v1::Response response);
    void take_event(v1::Event event);
    [[nodiscard]] std::string daemon_name() const { return "rtad at " + to_string(endpoint_); }
    [[nodiscard]] std::unexpected<Error> timed_out() const;
    std::unexpected<Error> end_with_unexpected_reply(std::string_view reason);
    std::unexpected<Error> end(Error::Kind kind, std::string sentence, v1::Code code = v1::OK);

    std::unique_ptr<ByteStream> stream_;
    Endpoint endpoint_;
    std::chrono::milliseconds timeout_;
    v1::HelloResult hello_;

    FrameDecoder decoder_;
    std::string outgoing_;
    std::size_t outgoing_taken_ = 0;  ///< bytes at the front of outgoing_ that have been sent

    std::uint64_t last_id_ = 0;
    struct Awaited {
        std::uint64_t id;
        v1::Request::RequestCase request;
    };
    std::deque<Awaited> awaited_;        ///< unanswered requests, in order
    std::set<std::uint64_t> abandoned_;  ///< those of awaited_ whose receive() timed out
    std::map<std::uint64_t, v1::Response> responses_;
    struct Unread {
        v1::Event event;
        std::size_t bytes;  ///< of memory
    };
    std::deque<Unread> events_;
    std::size_t event_bytes_ = 0;  ///< of events_
    std::uint64_t dropped_ = 0;    ///< events before the first of events_
    std::optional<Error> end_;     ///< why the client is disconnected
};

}  // namespace rta::client
