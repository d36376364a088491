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
      timer_{executor} {}

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
}

void WebConnection::end() {
    Owner* const owner = owner_;
    close();
    if (owner != nullptr) owner->web_ended(*this);
}

std::optional<WebConnection::Clock::time_point> WebConnection::idle_since() const {
    return reading_ && !closed_ ? std::optional{waiting_since_} : std::nullopt;
}

void WebConnection::check_time(const ServerLimits& limits, Clock::time_point now) {
    if (closed_) return;
    if (reading_ && now - waiting_since_ >= limits.hello_time) return end();
    if (!writing_) return;
    if (const std::uint64_t taken = stream_->bytes_taken(); taken != bytes_taken_) {
        bytes_taken_ = taken;
        last_progress_ = now;
    }
    if (now - last_progress_ < limits.write_time) return;
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
    reading_ = true;
    waiting_since_ = Clock::now();
    const HttpReader::Next request = co_await read_request(error);
    reading_ = false;
    if (closed_ || error) co_return false;
    const std::chrono::microseconds turn = site_->next_turn(Clock::now());
    if (turn.count() != 0) co_await pause(turn);
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

WebSite::Answer WebConnection::find_answer(const HttpReader::Next& request) {
    if (!request) return {.response = refusal_response(request.error())};
    if (refusal_) return {.response = refusal_response({.status = 503, .sentence = refusal_->sentence})};
    WebSite::Answer answer;
    const auto answered =
        api::guarded("answering an HTTP request", [&] { answer = site_->answer(**request, visitor_); });
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
    const std::array<asio::const_buffer, 2> all{asio::buffer(head),
                                                has_body ? asio::buffer(*response.body) : asio::const_buffer{}};
    const std::size_t size = asio::buffer_size(all);
    const std::size_t sent = stream_->write_now(all, error);
    if (error || sent == size) co_return;
    std::array<asio::const_buffer, 2> rest = all;
    const std::size_t of_head = std::min(sent, head.size());
    rest[0] += of_head;
    rest[1] += sent - of_head;
    last_progress_ = Clock::now();
    writing_ = true;
    co_await stream_->write(rest, error);
    writing_ = false;
}

asio::awaitable<void> WebConnection::pause(std::chrono::microseconds time) {
    asio::error_code ignored;
    timer_.expires_after(time);
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

/// Waits until the client has read the last response: closing a socket with unread input would discard it.
asio::awaitable<void> WebConnection::linger() {
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
    // May throw: then end() reports the end to the owner.
    auto stream = make_websocket_stream(executor_, std::move(stream_), reader_.take_rest());
    Owner* const owner = std::exchange(owner_, nullptr);
    closed_ = true;
    if (owner != nullptr) owner->web_upgraded(*this, std::move(stream));
}

}  // namespace rta::net
