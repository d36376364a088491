// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>

#include "api/awaited_starts.h"
#include "api/call.h"
#include "api/fairness.h"
#include "engine/engine.h"
#include "text/error.h"

namespace rta::api::requests {

// Shared by transactions and parameter changes. Before the commit, they wait for room in the engine; after it, for the
// block that applies the parameters, or with which the transaction begins to be heard.

/// A transaction whose start exceeds its starts_within_ms by this time is answered DEADLINE_EXCEEDED. Greater than
/// kStillDeadline, so that the answer names the cause if no block is rendered.
inline constexpr std::chrono::milliseconds kStartGrace{1000};

/// The engine has no room for the request, which takes `size` of it: it is retried in the client's turn, and refused with
/// `error` once its timeout_ms has passed.
void retry_later(Call& call, RoomQueue& room, std::size_t size, Error error);

/// The request waits for pending changes or fades in the engine: it is retried when they may have ended, and refused
/// with `error` once its timeout_ms has passed.
void retry_after_progress(Call& call, RoomQueue& room, Error error);

/// The engine has room and has committed the request.
void committed(Call& call, RoomQueue& room);

/// Defers the answer to SetParameters, which is complete except for the frame, until the change takes effect.
void await_frame(Call& call, const Ticket& ticket);

/// Limit of the time that a request waits for the start of its transaction.
struct StartLimit {
    std::chrono::milliseconds length;
    bool by_client;  ///< it is the request's timeout_ms
    TimePoint deadline;
};
[[nodiscard]] StartLimit start_limit(const PendingRequest& request, const Ticket& ticket, TimePoint now);

/// Returns the error for a transaction that is committed and has not started within the limit.
[[nodiscard]] Error late_start(const Ticket& ticket, AwaitedStarts::Late late, const StartLimit& limit);

/// Defers the answer to ApplyTransaction, Undo, Redo, RecallScene or Revert, which is complete except for the frame, until the transaction begins to be
/// heard; see ApplyTransaction.wait_for_start.
void await_start(Call& call, const Ticket& ticket);

/// Returns whether a transaction whose edits take this many bytes may be committed, because it can be recorded. Otherwise the
/// request waits for space on the disk, or is refused.
[[nodiscard]] bool may_record(Call& call, std::size_t bytes);

/// Defers the answer to ApplyTransaction, Undo or Redo until the transaction is on disk, if changes are recorded. Call it
/// after the change has been published.
void await_record(Call& call);

}  // namespace rta::api::requests
