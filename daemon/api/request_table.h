// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "api/access.h"
#include "engine/prepared_transaction.h"
#include "rta/v1/control.pb.h"
#include "text/error.h"

namespace rta {
class Engine;
}  // namespace rta

namespace rta::api {

struct Call;

/// The order in which a request may run. Requests of one client always run in the order in which they were sent.
enum class Ordering : std::uint8_t {
    pipelined,      ///< earlier requests of the client may still await their answers
    after_answers,  ///< when all earlier requests of the client are answered and its outbox has room
    urgent,         ///< as `pipelined`, and with a larger allowance in the ControlTime
};

/// State that a handler keeps between two calls for the same request. Each kind that needs it derives a class.
struct RequestState {
    RequestState() = default;
    RequestState(const RequestState&) = delete;
    RequestState& operator=(const RequestState&) = delete;
    virtual ~RequestState() = default;
};

/// One kind of request. The table of all kinds is in request_table.cpp, each kind's code in requests/NAME.cpp.
struct RequestKind {
    v1::Request::RequestCase request_case;
    std::string_view name;  ///< of its field in v1::Request
    Role role;              ///< that a client needs for it
    bool changes_state;     ///< of the graph, of the output or of what others can read; not only of the client itself
    bool durable;           ///< what it changes is saved, and restored when the daemon starts again
    Ordering ordering;

    /// Does the slow part on a worker thread, ahead of the request's turn; null: none. May take the message
    /// apart. Large requests get a snapshot of the graph, to be applied on the worker, too; otherwise it is null. The
    /// result is the state that execute() finds.
    Expected<std::unique_ptr<RequestState>> (*prepare)(const Engine& engine, SharedGraphSnapshot snapshot,
                                                       v1::Request& message);
    /// Runs on the control thread. Either answers or refuses the request, or defers the answer, or leaves the request
    /// as it is, to be called again.
    void (*execute)(Call& call);
    /// Names a smaller request, as a clause that begins with "; ", for an answer that does not fit into a frame. May be
    /// null.
    std::string (*smaller_request)(const v1::Request& message);
};

/// Returns whether a client with this role may make such requests. [any]
[[nodiscard]] constexpr bool permits(Role role, const RequestKind& kind) { return role >= kind.role; }

/// Returns one row for each kind, in the order of v1::Request.
[[nodiscard]] std::span<const RequestKind> request_table();

/// Returns null for a kind that the table does not list.
[[nodiscard]] const RequestKind* find_request_kind(v1::Request::RequestCase request_case);

}  // namespace rta::api
