// SPDX-License-Identifier: MIT
#include "net/web/web_connection.h"

#include <algorithm>
#include <array>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <string_view>
#include <utility>

#include "api/exception_barrier.h"
#include "net/first_bytes.h"
#include "net/web/websocket_stream.h"

namespace rta::net {
namespace {

constexpr std::size_t kReadBytes = std::size_t{4} << 10U;
/// Time that a client has to read why it was refused.
constexpr std::chrono::seconds kLingerTime{1};
/// What one turn may send.
constexpr std::size_t kPartBytes = std::size_t{64} << 10U;

using Buffers = std::array<asio::const_buffer, 2>;

Buffers beginning_of(const Buffers& buffers, std::size_t bytes) {
    const asio::const_buffer head = asio::buffer(buffers[0], bytes);
    return {head, asio::buffer(buffers[1], bytes - head.size())};
}

void skip(Buffers& buffers, std::size_t bytes) {
    const std::size_t of_head = std::min(bytes, buffers[0].size());
    buffers[0] += of_head;
    buffers[1] += bytes - of_head;
}

}  // namespace

WebConnection::WebConnection(const asio::any_io_executor& executor, std::unique_ptr<ByteStream> stream,
                             std::shared_ptr<WebSite> site, WebSite::Visitor visitor, Name name,
                             std::optional<Error> refusal)
    : executor_{executor},
      stream_{std::move(stream)},
      site_{std::move(site)},
      visitor_{std::move(visitor)},
      name_{std::move(name)},
      refusal_{std::move(refusal)},
      timer_{executor},
      may_go_on_{executor} {}

void WebConnection::start(Owner& owner) {
    owner_ = &owner;
    const auto self = shared_from_this();
    asio::co_spawn(
        executor_, [self] { return self->serve(); },
        [self](const std::exception_ptr&) {
            // An exception, such as a lack of memory, ends this connection only.
            self->end();
        });
}

void WebConnection::close() {
    if (std::exchange(closed_, true)) return;
    owner_ = nullptr;
    if (stream_) stream_->close();
    timer_.cancel();
    may_go_on_.raise();
}

void WebConnection::end() {
    Owner* const owner = owner_;
    close();
    if (owner != nullptr) owner->web_ended(*this);
}

void WebConnection::enter(State state) {
    state_ = state;
    since_ = Clock::now();
}

void WebConnection::note_progress(Clock::time_point now) {
    if (state_ != State::writing) return;
    if (const std::uint64_t taken = stream_->bytes_taken(); std::exchange(bytes_taken_, taken) != taken) since_ = now;
}

std::optional<WebConnection::Clock::time_point> WebConnection::idle_since() {
    if (closed_) return std::nullopt;
    note_progress(Clock::now());
    return since_;
}

void WebConnection::check_time(const ServerLimits& limits, Clock::time_point now) {
    if (closed_) return;
    note_progress(now);
    if (state_ == State::reading && now - since_ >= limits.hello_time) return end();
    if (state_ != State::writing || now - since_ < limits.write_time) return;
    if (owner_ != nullptr) owner_->web_closed_for(ClosedFor::write_time, *this);
    end();
}

asio::awaitable<void> WebConnection::serve() {
    // GCC 12 miscompiles a co_await in the condition of a loop.
    bool more = true;
    while (more) more = co_await serve_next();
}

/// Answers one request. Returns whether another one may follow.
asio::awaitable<bool> WebConnection::serve_next() {
    if (closed_) co_return false;
    asio::error_code error;
    enter(State::reading);
    const HttpReader::Next request = co_await read_request(error);
    if (closed_ || error) co_return false;
    co_await take_turn();
    if (closed_) co_return false;
    const WebSite::Answer answer = find_answer(request);
    if (answer.delayed) co_await pause(api::FailedAttempts::kDelay);
    if (closed_) co_return false;
    co_await write(answer.response, request ? &**request : nullptr, error);
    if (closed_ || error) co_return false;
    if (answer.upgrades) {
        upgrade();
    } else if (answer.response.closes) {
        co_await linger();
    } else {
        co_return true;
    }
    co_return false;
}

/// `error`: also eof.
asio::awaitable<HttpReader::Next> WebConnection::read_request(asio::error_code& error) {
    std::vector<char> bytes(kReadBytes);
    HttpReader::Next next = reader_.next();
    while (next && !*next) {
        const std::size_t count = co_await stream_->read_some(bytes, error);
        if (closed_ || error) break;
        const std::string_view received{bytes.data(), count};
        if (std::exchange(first_, false)) {
            visitor_.entry.certificate_name = stream_->certificate_name();
            if (recognise(received) == FirstBytes::tls) {
                if (owner_ != nullptr) owner_->web_closed_for(ClosedFor::tls, *this);
                error = asio::error::connection_aborted;
                break;
            }
        }
        reader_.feed(received);
        next = reader_.next();
    }
    co_return next;
}

asio::awaitable<void> WebConnection::take_turn() {
    enter(State::waiting);
    const std::shared_ptr<WebTurns::Waiter> self{shared_from_this(), this};
    if (!site_->turns().may_step(self, api::network_of(visitor_.entry))) co_await may_go_on_.wait();
}

WebSite::Answer WebConnection::find_answer(const HttpReader::Next& request) {
    const WebTurns::Step step{site_->turns()};
    if (!request) return {.response = refusal_response(request.error())};
    if (refusal_) return {.response = refusal_response({.status = 503, .sentence = refusal_->sentence})};
    WebSite::Answer answer;
    const auto answered =
        api::guarded("answering an HTTP request", [&] { answer = site_->answer(**request, visitor_, Clock::now()); });
    if (!answered) answer = {.response = refusal_response({.status = 500, .sentence = answered.error().sentence})};
    if ((*request)->lists("connection", "close")) answer.response.closes = true;
    return answer;
}

/// `request`: nullptr if it was malformed.
asio::awaitable<void> WebConnection::write(const HttpResponse& response, const HttpRequest* request,
                                           asio::error_code& error) {
    // Only a response that is not an error has a Host that was compared.
    const std::string_view host =
        request != nullptr && response.status < 400 ? *request->find("host") : std::string_view{};
    const std::string head = head_of(response, host, site_->names().tls());
    const bool has_body = response.body != nullptr && (request == nullptr || request->method != "HEAD");
    Buffers rest{asio::buffer(head), has_body ? asio::buffer(*response.body) : asio::const_buffer{}};
    for (bool first = true; asio::buffer_size(rest) != 0 && !error && !closed_; first = false) {
        if (!first) co_await take_turn();
        if (!closed_) co_await write_part(rest, error);
    }
}

/// Sends the beginning of `rest`, and removes it.
asio::awaitable<void> WebConnection::write_part(Buffers& rest, asio::error_code& error) {
    Buffers part = beginning_of(rest, kPartBytes);
    skip(rest, asio::buffer_size(part));
    {
        const WebTurns::Step step{site_->turns()};
        skip(part, stream_->write_now(part, error));
    }
    if (error || asio::buffer_size(part) == 0) co_return;
    enter(State::writing);
    co_await stream_->write(part, error);
}

asio::awaitable<void> WebConnection::pause(std::chrono::microseconds time) {
    asio::error_code ignored;
    timer_.expires_after(time);
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

/// Waits until the client has read the last response: closing a socket with unread input would discard it.
asio::awaitable<void> WebConnection::linger() {
    enter(State::leaving);
    timer_.expires_after(kLingerTime);
    timer_.async_wait([weak = weak_from_this()](const asio::error_code& cancelled) {
        const auto late = weak.lock();
        if (!cancelled && late) late->end();
    });
    asio::error_code error;
    co_await stream_->finish_writing(error);
    if (!error && !closed_) co_await discard_input(*stream_);
    timer_.cancel();
}

void WebConnection::upgrade() {
    const WebTurns::Step step{site_->turns()};
    // May throw: then end() reports the end to the owner.
    auto stream = make_websocket_stream(executor_, std::move(stream_), reader_.take_rest());
    Owner* const owner = std::exchange(owner_, nullptr);
    closed_ = true;
    if (owner != nullptr) owner->web_upgraded(*this, std::move(stream));
}

}  // namespace rta::net
