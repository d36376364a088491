// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "api/call.h"
#include "api/requests/transaction.h"
#include "engine/engine.h"

namespace rta::api::requests {

// Shared by ApplyTransaction, Undo, Redo and RecallScene, whose state is a TransactionState.

/// Returns whether the transaction may be committed now. Otherwise the request waits, or is refused.
[[nodiscard]] bool may_commit(Call& call);

/// A transaction that is committed, and what its event and the history need.
struct CommittedTransaction {
    Ticket ticket;
    AudioGraph before;
};
/// Commits it. Refuses the request, or leaves it to be executed again, and returns nothing if the engine refuses it.
[[nodiscard]] std::optional<CommittedTransaction> commit(Call& call);

/// Writes what the results have in common.
void write_ticket(const Ticket& ticket, auto& result) {
    result.set_revision(ticket.revision);
    result.set_starts_within_ms(ticket.starts_within_ms);
    result.set_combs(ticket.combs);
}

/// Records and publishes the transaction, and completes the answer, which has been begun, now or when it begins to be
/// heard.
void conclude(Call& call, CommittedTransaction&& committed);

}  // namespace rta::api::requests
