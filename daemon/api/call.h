// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/awaited_starts.h"
#include "api/confirmation/claim.h"
#include "api/fairness.h"
#include "api/request_table.h"
#include "rta/v1/control.pb.h"
#include "text/error.h"

namespace rta::api {

class Client;
struct Services;

/// An answer that a worker has encoded: the frame of a v1::ServerMessage.
struct EncodedAnswer {
    std::string frame{};
    std::size_t bytes = 0;  ///< without the length of the frame

    /// Encodes the answer OK, with what `fill` adds. [any]
    [[nodiscard]] static EncodedAnswer of(std::uint64_t id, const std::function<void(v1::Response&)>& fill);
};

/// A request between its arrival and its answer. [control]
struct PendingRequest {
    enum class Stage : std::uint8_t {
        received,   ///< large, and not parsed yet
        parsing,    ///< on a worker, or waiting for it
        waiting,    ///< for its turn among the requests of its client
        preparing,  ///< on a worker
        prepared,   ///< `state` holds the result
        queued,     ///< after the mutes and panics of other clients
        executed,   ///< its turn is over; the answer comes later
        answered,   ///< `reply` holds the answer
    };

    /// Requests that take at least this many bytes on the wire are parsed, validated and freed on workers.
    static constexpr std::size_t kLargeBytes = 16'384;
    [[nodiscard]] static bool is_large(std::size_t bytes) { return bytes >= kLargeBytes; }
    static constexpr std::uint32_t kLargeRoomMs = 1'000;

    std::string payload{};  ///< of a large request, until it is parsed
    v1::Request message{};
    const RequestKind* kind = nullptr;  ///< null: not parsed yet, or refused when it arrived
    std::size_t bytes = 0;              ///< memory that the request takes
    bool large = false;                 ///< at least kLargeBytes
    Stage stage = Stage::waiting;
    std::unique_ptr<RequestState> state{};  ///< of its kind
    std::uint32_t awaited = 0;              ///< what its answer waits for: the begin of its transaction, the disk
    std::uint32_t plans = 0;                ///< that were made of what it changes in the graph as it is
    bool committed = false;                 ///< what it changed stays, even if the request fails now
    std::optional<TimePoint> deadline{};    ///< the engine had no room; the request is retried until then
    AwaitedStarts::Wait start{};            ///< of its transaction; removed together with the request
    ConfirmationClaim claim{};              ///< of a transaction that must be confirmed
    v1::ServerMessage reply{};
    EncodedAnswer encoded{};  ///< the answer, instead of `reply`, unless its frame is empty

    /// Returns whether the next request of the client may run.
    [[nodiscard]] bool turn_over() const { return stage == Stage::executed || stage == Stage::answered; }
    [[nodiscard]] std::uint32_t timeout_ms() const;
    /// Returns how long the request may wait for room in the engine: its timeout_ms, but at most kLargeRoomMs if it is
    /// large, because the large requests of other clients wait for it.
    [[nodiscard]] std::uint32_t room_timeout_ms() const;
    /// Returns the same for an error, with its reason.
    [[nodiscard]] std::string room_timeout_text() const;
    [[nodiscard]] bool is_parsed() const { return stage != Stage::received && stage != Stage::parsing; }
    /// Takes the result of its preparation.
    void prepared(Expected<std::unique_ptr<RequestState>> result);

    /// Returns an empty answer with status OK, which is not complete yet.
    v1::Response& begin_answer();
    /// Returns the same; it counts as complete when the handler returns.
    v1::Response& answer();
    /// Defers the answer, which has been begun, until answer_part() has been called once for each call of this function.
    void defer_answer();
    void answer_part();
    /// Completes the answer.
    void answer(EncodedAnswer&& answer);
    void refuse(const Error& error);
    /// Refuses the request after an unexpected error. Committed changes stay.
    void fail(Error error);
};

/// A message that has been parsed.
struct ParsedRequest {
    v1::Request message{};
    const RequestKind* kind = nullptr;
    std::size_t bytes = 0;             ///< of memory
    std::optional<Error> error{};      ///< the request is refused: oversized, unknown kind, invalid timeout_ms
    std::optional<Error> malformed{};  ///< the stream is refused

    /// [any]
    [[nodiscard]] static ParsedRequest parse(std::string_view payload);
    /// Moves the message to `content`, except for what its answer needs. [any]
    void take_content(v1::Request& content);
};

/// Returns the error for a client that has not sent Hello.
[[nodiscard]] Error not_introduced();

/// Refers to a request that is answered later, while its client may disconnect. [control]
class CallHandle {
 public:
    CallHandle(std::weak_ptr<Client> client, std::uint64_t number) : client_{std::move(client)}, number_{number} {}
    /// [any] Returns whether the client has disconnected, so that no answer is needed.
    [[nodiscard]] bool client_has_gone() const noexcept { return client_.expired(); }

    /// Calls `use` unless the client has disconnected. Returns whether it has not.
    bool use(const std::function<void(Call&)>& use) const;
    /// The same, and continues with the client's requests.
    void resume(const std::function<void(Call&)>& use) const;

 private:
    std::weak_ptr<Client> client_;
    std::uint64_t number_;
};

/// The arguments of a handler. Valid during the call only. [control]
struct Call {
    Services& services;
    Client& client;
    PendingRequest& request;
    std::uint64_t number;  ///< of the request, among those of the client

    [[nodiscard]] CallHandle handle() const;
};

}  // namespace rta::api
