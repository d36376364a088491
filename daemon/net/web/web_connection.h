// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/byte_stream.h"
#include "net/condition.h"
#include "net/connection_log.h"
#include "net/limits.h"
#include "net/web/web_site.h"
#include "net/web/web_turns.h"

namespace rta::net {

/// Serves the HTTP requests of one connection, in order, until it closes or becomes a WebSocket. [control]
class WebConnection final : public std::enable_shared_from_this<WebConnection>, private WebTurns::Waiter {
 public:
    using Clock = std::chrono::steady_clock;

    /// Nothing is called after close().
    class Owner {
     public:
        virtual ~Owner() = default;
        /// The connection has ended.
        virtual void web_ended(const WebConnection& connection) = 0;
        /// The connection has become a WebSocket, whose stream the owner serves further. The connection has ended.
        virtual void web_upgraded(const WebConnection& connection, std::unique_ptr<ByteStream> stream) = 0;
        /// The connection is closed without an answer; web_ended() follows.
        virtual void web_closed_for(ClosedFor reason, const WebConnection& connection) = 0;
    };

    struct Name {
        std::uint64_t number;  ///< unique
        std::string listener;  ///< the address on which the client has connected
    };

    /// With a `refusal`, its first request is answered with it.
    WebConnection(const asio::any_io_executor& executor, std::unique_ptr<ByteStream> stream,
                  std::shared_ptr<WebSite> site, WebSite::Visitor visitor, Name name, std::optional<Error> refusal);

    /// Starts serving. `owner` must outlive the connection, or close() it.
    void start(Owner& owner);
    /// Ends the connection immediately.
    void close();
    /// Closes the connection if one of the limits of time has passed. Must be called from time to time.
    void check_time(const ServerLimits& limits, Clock::time_point now);
    /// Returns since when nothing has been received or sent for the connection; nullopt if it has ended. It may be closed at
    /// any time to make room for another client.
    [[nodiscard]] std::optional<Clock::time_point> idle_since();

    [[nodiscard]] const Name& name() const { return name_; }
    [[nodiscard]] const api::Entry& entry() const { return visitor_.entry; }
    /// Returns whether the connection got no place, and only learns why.
    [[nodiscard]] bool refused() const { return refusal_.has_value(); }

 private:
    enum class State : std::uint8_t {
        reading,  ///< a request, for hello_time at most
        waiting,  ///< for its turn, or until a refusal may be sent
        writing,  ///< a response: the client must take some of it in each write_time
        leaving,  ///< after the last response, for kLingerTime at most
    };

    asio::awaitable<void> serve();
    asio::awaitable<bool> serve_next();
    asio::awaitable<HttpReader::Next> read_request(asio::error_code& error);
    [[nodiscard]] WebSite::Answer find_answer(const HttpReader::Next& request);
    asio::awaitable<void> write(const HttpResponse& response, const HttpRequest* request, asio::error_code& error);
    asio::awaitable<void> write_part(std::array<asio::const_buffer, 2>& rest, asio::error_code& error);
    asio::awaitable<void> take_turn();
    void turn_has_come() override { may_go_on_.raise(); }
    void enter(State state);
    void note_progress(Clock::time_point now);
    asio::awaitable<void> pause(std::chrono::microseconds time);
    asio::awaitable<void> linger();
    void upgrade();
    void end();

    asio::any_io_executor executor_;
    std::unique_ptr<ByteStream> stream_;
    std::shared_ptr<WebSite> site_;
    WebSite::Visitor visitor_;
    const Name name_;
    const std::optional<Error> refusal_;
    Owner* owner_ = nullptr;  ///< null before start() and after the end
    HttpReader reader_;
    asio::steady_timer timer_;
    Condition may_go_on_;
    State state_ = State::reading;
    Clock::time_point since_ = Clock::now();  ///< of the state; while writing, when bytes were last taken
    std::uint64_t bytes_taken_ = 0;           ///< by then
    bool first_ = true;                       ///< nothing has arrived yet
    bool closed_ = false;
};

}  // namespace rta::net
