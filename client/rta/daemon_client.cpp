// SPDX-License-Identifier: MIT
#include "rta/daemon_client.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "rta/socket.h"
#include "rta/tls.h"

namespace rta::client {

namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10U;

std::string seconds_text(std::chrono::milliseconds time) {
    std::string text = std::to_string(time.count() / 1000);
    if (const auto rest = time.count() % 1000; rest != 0) {
        std::string digits = std::to_string(1000 + rest).substr(1);
        digits.erase(digits.find_last_not_of('0') + 1);
        text += "." + digits;
    }
    return text + " s";
}

/// The text of a file with a token ends with a line feed.
std::string without_blanks(std::string_view token) {
    constexpr std::string_view kBlanks = " \t\r\n";
    const std::size_t first = std::min(token.find_first_not_of(kBlanks), token.size());
    return std::string{token.substr(first, token.find_last_not_of(kBlanks) + 1 - first)};
}

bool uses_tls(const Endpoint& endpoint, const TlsOptions& options) {
    const auto* tcp = std::get_if<TcpEndpoint>(&endpoint);
    // Certificates that the caller expects, or shows, must not be ignored.
    const bool wanted = options.on_loopback || !options.fingerprint.empty() || !options.ca_file.empty() ||
                        !options.certificate_file.empty();
    return tcp != nullptr && (wanted || !is_loopback(*tcp));
}

/// Encrypts a connection if the endpoint requires it. Returns null if the client must connect again: a person decided
/// whether to trust the daemon, which has not waited.
Expected<std::unique_ptr<ByteStream>> secure(std::unique_ptr<ByteStream> stream, const Endpoint& endpoint,
                                             const TlsOptions& options, const Deadline& deadline) {
    if (!uses_tls(endpoint, options)) return stream;
    auto connection = connect_tls(std::move(stream), std::get<TcpEndpoint>(endpoint), options, deadline);
    if (!connection) return std::unexpected(std::move(connection.error()));
    if (connection->first_use && options.trust) return nullptr;
    return std::move(connection->stream);
}

}  // namespace

void keep_session(ClientOptions& options, const v1::HelloResult& hello) {
    if (!hello.session_token().empty()) options.token = hello.session_token();
}

Expected<DaemonClient> DaemonClient::open(std::span<const Endpoint> endpoints, const ClientOptions& options) {
    if (endpoints.empty()) return fail(Error::Kind::cannot_connect, "no address of an rtad to connect to");
    const Deadline deadline = Deadline::in(options.timeout);
    std::string tried;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        auto stream = connect_socket(endpoints[i], deadline.share(endpoints.size() - i));
        if (stream) {
            auto secured = secure(std::move(*stream), endpoints[i], options.tls, deadline);
            if (!secured) return std::unexpected(std::move(secured.error()));
            if (*secured) return open(std::move(*secured), endpoints[i], options, deadline);
            return open(endpoints.subspan(i, 1), options);  // with a new deadline: a person took time
        }
        tried += (i == 0 ? "" : ", ") + to_string(endpoints[i]) + " (" + stream.error() + ")";
    }
    return fail(Error::Kind::cannot_connect, "cannot connect to rtad at " + tried + "; is it running?");
}

Expected<DaemonClient> DaemonClient::open(std::unique_ptr<ByteStream> stream, Endpoint endpoint,
                                          const ClientOptions& options) {
    return open(std::move(stream), std::move(endpoint), options, Deadline::in(options.timeout));
}

Expected<DaemonClient> DaemonClient::open(std::unique_ptr<ByteStream> stream, Endpoint endpoint,
                                          const ClientOptions& options, const Deadline& deadline) {
    DaemonClient client{std::move(stream), std::move(endpoint), options.timeout};
    if (auto hello = client.say_hello(options, deadline); !hello) return std::unexpected(std::move(hello.error()));
    return client;
}

Expected<void> DaemonClient::say_hello(const ClientOptions& options, const Deadline& deadline) {
    v1::Request request;
    v1::Hello& hello = *request.mutable_hello();
    hello.set_protocol_version(kProtocolVersion);
    hello.set_client_name(options.client_name);
    hello.set_token(without_blanks(options.token));
    auto response = call(std::move(request), deadline);
    if (!response) {
        Error error = std::move(response.error());
        // A daemon that refuses many clients together does not wait until each has read the reason.
        if (error.kind == Error::Kind::lost) {
            error.sentence += ", before it responded to Hello: it may be exiting, or have too many clients";
            const bool plain_tcp = std::holds_alternative<TcpEndpoint>(endpoint_) && !uses_tls(endpoint_, options.tls);
            if (plain_tcp) error.sentence += ", or listen with TLS (--tls)";
        }
        return std::unexpected(std::move(error));
    }
    if (response->status().code() != v1::OK) {
        const bool wrong_version = response->status().code() == v1::FAILED_PRECONDITION;
        return end(Error::Kind::refused,
                   daemon_name() + " refused this client" +
                       (wrong_version ? ", which supports protocol version " + std::to_string(kProtocolVersion) : "") +
                       ": " + response->status().message(),
                   response->status().code());
    }
    if (!response->has_hello()) return end_with_unexpected_reply("no result of Hello");
    if (response->hello().protocol_version() != kProtocolVersion) {
        return end(Error::Kind::refused,
                   daemon_name() + " (version " + response->hello().server_version() + ") uses protocol version " +
                       std::to_string(response->hello().protocol_version()) + ", but this client supports version " +
                       std::to_string(kProtocolVersion) + "; use a client of the daemon's version",
                   v1::FAILED_PRECONDITION);
    }
    hello_ = std::move(*response->mutable_hello());
    return {};
}

Expected<v1::Response> DaemonClient::call(v1::Request request) {
    return call(std::move(request), Deadline::in(timeout_));
}

Expected<v1::Response> DaemonClient::call(v1::Request request, const Deadline& deadline) {
    const auto id = send(std::move(request), deadline);
    if (!id) return std::unexpected(id.error());
    return receive(*id, deadline, -1);
}

Expected<std::uint64_t> DaemonClient::enqueue(v1::Request request) {
    if (end_) return std::unexpected(*end_);
    request.set_id(last_id_ + 1);
    if (const std::size_t size = request.ByteSizeLong(); size > kMaximumFrameBytes) {
        return fail(Error::Kind::too_large, "request too large: " + std::to_string(size) + " bytes; expected at most " +
                                                std::to_string(kMaximumFrameBytes) + " (4 MiB)");
    }
    append_frame(outgoing_, request.SerializeAsString());
    awaited_.push_back({.id = ++last_id_, .request = request.request_case()});
    return last_id_;
}

Expected<std::uint64_t> DaemonClient::send(v1::Request request) {
    return send(std::move(request), Deadline::in(timeout_));
}

Expected<std::uint64_t> DaemonClient::send(v1::Request request, const Deadline& deadline) {
    auto id = enqueue(std::move(request));
    if (!id) return id;
    while (!outgoing_.empty()) {
        auto moved = exchange(deadline, -1);
        if (moved && deadline.passed() && !outgoing_.empty()) moved = timed_out();
        if (moved) continue;
        if (moved.error().kind != Error::Kind::timeout) return std::unexpected(std::move(moved.error()));
        // Part of the request may have been sent, so no other request can follow.
        return end(Error::Kind::lost, daemon_name() + " did not accept the request within " + seconds_text(timeout_));
    }
    return id;
}

Expected<v1::Response> DaemonClient::receive(std::uint64_t id, int interrupt_descriptor) {
    return receive(id, Deadline::in(timeout_), interrupt_descriptor);
}

Expected<v1::Response> DaemonClient::receive(std::uint64_t id, const Deadline& deadline, int interrupt_descriptor) {
    for (;;) {
        if (auto response = take_response(id)) return std::move(*response);
        if (end_) return std::unexpected(*end_);
        if (!std::ranges::binary_search(awaited_, id, {}, &Awaited::id) || abandoned_.contains(id)) {
            return fail(Error::Kind::protocol, "no response is expected for request " + std::to_string(id));
        }
        auto moved = exchange(deadline, interrupt_descriptor);
        // Other messages may arrive for ever.
        if (moved && deadline.passed()) moved = timed_out();
        if (!moved) {
            if (responses_.contains(id)) continue;  // received before the error
            if (moved.error().kind == Error::Kind::timeout) {
                abandon(id);
                moved.error() = no_response_within(timeout_);
            }
            return std::unexpected(std::move(moved.error()));
        }
    }
}

Expected<v1::Event> DaemonClient::next_event(const Deadline& deadline, int interrupt_descriptor) {
    for (;;) {
        if (auto lost = take_dropped(); !lost) return std::unexpected(std::move(lost.error()));
        if (auto event = take_event()) return std::move(*event);
        if (end_) return std::unexpected(*end_);
        auto moved = exchange(deadline, interrupt_descriptor);
        if (moved && deadline.passed()) moved = timed_out();
        if (!moved && events_.empty()) return std::unexpected(std::move(moved.error()));
    }
}

Expected<void> DaemonClient::poll() {
    if (auto lost = take_dropped(); !lost) return lost;
    return exchange(Deadline::in({}), -1);
}

Expected<void> DaemonClient::take_dropped() {
    const std::uint64_t dropped = std::exchange(dropped_, 0);
    if (dropped == 0) return {};
    return fail(Error::Kind::missed, std::to_string(dropped) + " events from " + daemon_name() +
                                         " were dropped: more than " + std::to_string(kMaximumEventBytes >> 20U) +
                                         " MiB were unread");
}

std::optional<v1::Response> DaemonClient::take_response(std::uint64_t id) {
    if (auto found = responses_.extract(id)) return std::move(found.mapped());
    return std::nullopt;
}

std::optional<v1::Event> DaemonClient::take_event() {
    if (events_.empty()) return std::nullopt;
    Unread next = std::move(events_.front());
    events_.pop_front();
    event_bytes_ -= next.bytes;
    return std::move(next.event);
}

void DaemonClient::abandon(std::uint64_t id) {
    if (responses_.erase(id) == 0 && std::ranges::binary_search(awaited_, id, {}, &Awaited::id)) abandoned_.insert(id);
}

Error DaemonClient::no_response_within(std::chrono::milliseconds time) const {
    return {.kind = Error::Kind::timeout, .sentence = daemon_name() + " did not respond within " + seconds_text(time)};
}

std::unexpected<Error> DaemonClient::timed_out() const {
    return fail(Error::Kind::timeout, "timeout while waiting for " + daemon_name());
}

/// Waits until bytes can be read or written, then reads and writes them.
Expected<void> DaemonClient::exchange(const Deadline& deadline, int interrupt_descriptor) {
    const ByteStream::Readiness ready = stream_->wait(!outgoing_.empty(), deadline, interrupt_descriptor);
    if (ready.interrupted) return fail(Error::Kind::interrupted, "interrupted");
    if (ready.writable) write_some();
    if (ready.readable) return read_some();
    if (!ready.writable) return timed_out();
    return {};
}

void DaemonClient::write_some() {
    const ByteStream::Transfer sent = stream_->write(std::string_view{outgoing_}.substr(outgoing_taken_));
    outgoing_taken_ += sent.count;
    // A daemon sends the reason before it disconnects, so the input must still be read. read() detects the end as well.
    if (sent.closed || outgoing_taken_ == outgoing_.size()) {
        outgoing_.clear();
        outgoing_taken_ = 0;
    }
}

Expected<void> DaemonClient::read_some() {
    std::array<char, kReadBytes> bytes{};
    const ByteStream::Transfer received = stream_->read(bytes);
    if (received.refused_certificate) {
        return end(Error::Kind::refused,
                   daemon_name() + " refused the certificate of this client: " + received.reason +
                       "; expected a valid one that an authority of its --tls-client-ca has signed",
                   v1::UNAUTHENTICATED);
    }
    if (received.closed) {
        return end(Error::Kind::lost, "disconnected from " + daemon_name() + ": " + received.reason +
                                          (decoder_.buffered() == 0 ? "" : " in the middle of a message"));
    }
    decoder_.feed(std::span{bytes}.first(received.count));
    return take_frames();
}

Expected<void> DaemonClient::take_frames() {
    for (;;) {
        const auto payload = decoder_.next();
        if (!payload) {
            return end_with_unexpected_reply(frame_error_sentence(payload.error()));
        }
        if (!*payload) return {};
        if (auto taken = take_message(**payload); !taken) return taken;
    }
}

Expected<void> DaemonClient::take_message(std::string_view payload) {
    v1::ServerMessage message;
    if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
        return end_with_unexpected_reply("not a message of rta.v1");
    }
    switch (message.message_case()) {
        case v1::ServerMessage::kResponse:
            return take_response(std::move(*message.mutable_response()));
        case v1::ServerMessage::kEvent:
            take_event(std::move(*message.mutable_event()));
            return {};
        case v1::ServerMessage::MESSAGE_NOT_SET:
            return {};  // a message of a later version of the protocol
    }
    return {};
}

Expected<void> DaemonClient::take_response(v1::Response response) {
    if (response.id() == 0 && response.status().code() != v1::OK) {
        return end(Error::Kind::refused, daemon_name() + " disconnected this client: " + response.status().message(),
                   response.status().code());
    }
    if (awaited_.empty() || response.id() != awaited_.front().id) {
        return end(Error::Kind::protocol,
                   daemon_name() + " responded out of order (to request " + std::to_string(response.id()) + ")");
    }
    const auto [id, request] = awaited_.front();
    awaited_.pop_front();
    // A request and its result have the same field number.
    if (response.status().code() == v1::OK && static_cast<int>(response.result_case()) != static_cast<int>(request)) {
        const auto* const field = v1::Request::descriptor()->FindFieldByNumber(request);
        return end(Error::Kind::protocol, daemon_name() + " responded OK to " +
                                              (field == nullptr ? "an empty request" : field->name()) +
                                              " without its result");
    }
    if (abandoned_.erase(id) == 0) responses_.emplace(id, std::move(response));
    return {};
}

void DaemonClient::take_event(v1::Event event) {
    const std::size_t bytes = event.SpaceUsedLong();
    event_bytes_ += bytes;
    events_.push_back({.event = std::move(event), .bytes = bytes});
    while (event_bytes_ > kMaximumEventBytes && events_.size() > 1) {
        event_bytes_ -= events_.front().bytes;
        events_.pop_front();
        ++dropped_;
    }
}

std::unexpected<Error> DaemonClient::end_with_unexpected_reply(std::string_view reason) {
    return end(Error::Kind::protocol,
               to_string(endpoint_) + " is not an rtad: unexpected reply: " + std::string{reason});
}

std::unexpected<Error> DaemonClient::end(Error::Kind kind, std::string sentence, v1::Code code) {
    stream_->close();
    end_ = Error{.kind = kind, .sentence = std::move(sentence), .code = code};
    return std::unexpected(*end_);
}

}  // namespace rta::client
