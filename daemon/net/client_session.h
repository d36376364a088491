// SPDX-License-Identifier: MIT
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "frame/frame_codec.h"
#include "net/byte_stream.h"
#include "net/condition.h"
#include "net/connection_log.h"
#include "net/large_messages.h"
#include "net/limits.h"
#include "net/log.h"

namespace rta::net {

/// Serves one client over a byte stream: one coroutine reads requests, another writes responses and events.
///
/// Until the Hello of the client has been accepted, the connection is closed without an answer for any other message.
/// Reading pauses while the client has enough requests pending or does not read its responses. After the end of the
/// input, all pending requests are answered before the session ends. [control]
class ClientSession final : public std::enable_shared_from_this<ClientSession>, private LargeMessages::Holder {
 public:
    using Clock = std::chrono::steady_clock;

    /// Identifies the session in the log.
    struct Name {
        std::uint64_t number;  ///< unique
        std::string listener;  ///< the address or path on which the client has connected
    };

    /// Is told of the end of the session. Nothing is called after close().
    class Owner {
     public:
        virtual ~Owner() = default;
        virtual void session_ended(const ClientSession& session) = 0;
        /// The client was refused, and stays connected only to read the reason. Must not call the session back.
        virtual void client_refused(const ClientSession& session) = 0;
        /// The connection is closed without an answer; session_ended() follows.
        virtual void closed_for(ClosedFor reason, const ClientSession& session) = 0;
    };

    ClientSession(const asio::any_io_executor& executor, std::unique_ptr<ByteStream> stream,
                  std::shared_ptr<api::Client> client, std::shared_ptr<LargeMessages> large_messages, Name name,
                  LogSink log);

    /// Starts serving. `owner` must outlive the session, or close() it.
    void start(Owner& owner);

    /// Ends the session immediately; unwritten bytes are lost.
    void close();

    /// Disconnects the client if one of the limits of time has passed. Must be called from time to time.
    void check_time(const ServerLimits& limits, Clock::time_point now);
    /// Returns since when the client waits for nothing and sends nothing; nullopt if it does, or has ever subscribed.
    [[nodiscard]] std::optional<Clock::time_point> idle_since() const;
    /// Disconnects an idle client, with the reason if it has sent Hello.
    void disconnect_idle(const Error& reason);

    /// Returns true if the client was refused and the session stays open only to deliver the reason.
    [[nodiscard]] bool refused() const { return client_->refused(); }
    [[nodiscard]] const api::Client& client() const { return *client_; }
    [[nodiscard]] const Name& name() const { return name_; }

 private:
    asio::awaitable<void> read_requests();
    asio::awaitable<void> write_responses();
    asio::awaitable<void> write(std::span<const api::Outbox::Chunk> chunks, asio::error_code& error);
    asio::awaitable<void> linger();
    void close_for(ClosedFor reason);
    [[nodiscard]] std::string log_name() const;
    void note_received(std::string_view bytes);
    void check_output(std::chrono::milliseconds write_time, Clock::time_point now);
    void limit_refusal();
    [[nodiscard]] bool decode_requests();
    [[nodiscard]] std::vector<api::Outbox::Chunk> take_output();
    void input_finished();
    void client_changed();
    [[nodiscard]] bool may_hold_more();
    [[nodiscard]] bool holds_large_message() const;
    /// Returns the bytes that have arrived of a message that is not complete.
    [[nodiscard]] std::size_t unfinished_bytes() const { return decoder_.buffered() + stream_->held_bytes(); }
    void place_free() override { may_read_.raise(); }
    [[nodiscard]] bool waits_for_daemon() const override { return client_->waits_for_worker(); }
    void end_large_message() override;
    void failed(const std::exception_ptr& thrown);
    void end();

    asio::any_io_executor executor_;
    std::unique_ptr<ByteStream> stream_;
    std::shared_ptr<api::Client> client_;
    std::shared_ptr<LargeMessages> large_messages_;
    Name name_;
    LogSink log_;
    Owner* owner_ = nullptr;  ///< null before start() and after the end
    FrameDecoder decoder_;
    std::string first_bytes_;  ///< until Hello: at most kRecognisedBytes
    const Clock::time_point started_ = Clock::now();
    Clock::time_point last_active_ = started_;  ///< when bytes were last received or sent
    Clock::time_point last_progress_ =
        started_;                    ///< of a write that is pending: when check_time() last saw bytes leave
    std::uint64_t bytes_taken_ = 0;  ///< by then
    Condition may_read_;
    Condition may_write_;
    asio::steady_timer linger_timer_;
    bool leaving_ = false;  ///< the linger timer has been started
    bool writing_ = false;
    bool input_ended_ = false;
    bool closed_ = false;
};

}  // namespace rta::net
