// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "api/awaited_starts.h"
#include "api/fairness.h"
#include "api/request_table.h"
#include "api/workers.h"
#include "engine/prepared_transaction.h"
#include "rta/v1/control.pb.h"
#include "text/error.h"

namespace rta::api {

class Client;
struct Services;

/// A request between its arrival and its answer. [control]
struct PendingRequest {
    enum class Stage : std::uint8_t {
        parsing,    ///< on a worker
        waiting,    ///< for its turn among the requests of its client
        preparing,  ///< on a worker
        prepared,   ///< `state` holds the result
        queued,     ///< after the mutes and panics of other clients
        executed,   ///< its turn is over; the answer comes later
        answered,   ///< `reply` holds the answer
    };

    /// Requests of at least so many bytes are parsed, validated and freed on workers.
    static constexpr std::size_t kLargeBytes = 16'384;

    v1::Request message{};
    const RequestKind* kind = nullptr;  ///< null: not parsed yet, or refused when it arrived
    std::size_t bytes = 0;              ///< memory that the request takes
    Stage stage = Stage::waiting;
    std::unique_ptr<RequestState> state{};  ///< of its kind
    bool committed = false;                 ///< what it changed stays, even if the request fails now
    std::optional<TimePoint> deadline{};    ///< the engine had no room; the request is retried until then
    AwaitedStarts::Wait start{};            ///< of its transaction; removed together with the request
    v1::ServerMessage reply{};

    /// Returns whether the next request of the client may run.
    [[nodiscard]] bool turn_over() const { return stage == Stage::executed || stage == Stage::answered; }
    /// Returns how long the request may wait for room in the engine.
    [[nodiscard]] std::uint32_t timeout_ms() const;
    [[nodiscard]] bool is_large() const { return bytes >= kLargeBytes; }
    /// Returns the lane for work on the request.
    [[nodiscard]] Workers::Lane lane() const {
        return is_large() ? Workers::Lane::large_requests : Workers::Lane::requests;
    }

    /// Returns an empty answer with status OK, which is not complete yet.
    v1::Response& begin_answer();
    /// Returns the same; it counts as complete when the handler returns.
    v1::Response& answer();
    void refuse(const Error& error);
    /// Refuses the request after an unexpected error. Committed changes stay.
    void fail(Error error);
};

/// Returns the error of a request that is invalid regardless of its kind: unknown kind, invalid timeout_ms. [any]
[[nodiscard]] std::optional<Error> find_error(const v1::Request& message);

/// Refers to a request that is answered later, while its client may disconnect. [control]
class CallHandle {
 public:
    CallHandle(std::weak_ptr<Client> client, std::uint64_t number) : client_{std::move(client)}, number_{number} {}

    /// Calls `use` unless the client has disconnected, and continues with the client's requests.
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
    /// Returns a snapshot of the graph if validating the request would take long.
    [[nodiscard]] std::optional<GraphSnapshot> snapshot_if_large() const;
};

}  // namespace rta::api
