// SPDX-License-Identifier: MIT
#include "api/requests/commit_transaction.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "api/client.h"
#include "api/events/changes.h"
#include "api/exception_barrier.h"
#include "api/requests/commit.h"
#include "api/requests/guard.h"
#include "api/services.h"
#include "graph/edit_summary.h"

namespace rta::api::requests {
namespace {

/// Returns what the transaction takes of the room for plans: one plan, however many edits it has. But a single edit must not
/// wait for a transaction of hundreds of each other client. Of all clients, only one large request at a time can wait for
/// room, and the other large ones wait for it.
std::size_t room_of(const PendingRequest& request, const TransactionState& transaction) {
    constexpr std::size_t kEdits = 16;
    constexpr std::size_t kMost = 4;
    if (request.large) return 1;
    return std::min(1 + static_cast<std::size_t>(transaction.edits.edits_size()) / kEdits, kMost);
}

TransactionState& state_of(Call& call) { return static_cast<TransactionState&>(*call.request.state); }

void refuse(Call& call, const Error& error) {
    if (build_missing(call, error)) return;
    if (call.services.engine.refused_until_progress())
        return retry_after_progress(call, call.services.plan_room, error);
    // If an edit is at fault, the engine is not full, so waiting does not help.
    if (error.code == ErrorCode::resource_exhausted && !error.edit_index)
        return retry_later(call, call.services.plan_room, room_of(call.request, state_of(call)), error);
    call.request.refuse(without_index(error, state_of(call).whole_graph));
}

std::string summary_of(const TransactionState& transaction) {
    constexpr std::size_t kMost = 1'000;
    if (!transaction.label.empty()) return transaction.label;
    const std::vector<Edit>& edits = transaction.prepared.transaction().edits;
    return edits.size() > kMost ? std::to_string(edits.size()) + " edits" : rta::summary_of(edits);
}

/// Reserves the confirmation. Returns whether the transaction can be committed now; otherwise the request is executed
/// again, or is refused.
bool claim(Call& call) {
    PendingRequest& request = call.request;
    std::string summary = summary_of(state_of(call));
    request.stage = PendingRequest::Stage::preparing;
    const auto saved = [handle = call.handle()](const Expected<void>& outcome) {
        handle.resume([&](Call& later) {
            if (later.request.stage != PendingRequest::Stage::preparing) return;  // has failed in the meantime
            if (!outcome) return later.request.refuse(outcome.error());
            later.request.stage = PendingRequest::Stage::prepared;
        });
    };
    ConfirmationClaim claimed =
        call.services.confirmation.claim({call.client.identity().author, call.client.name()}, std::move(summary),
                                         *state_of(call).confirm_within_s, saved);
    if (request.stage != PendingRequest::Stage::answered) request.claim = std::move(claimed);
    return request.stage == PendingRequest::Stage::prepared;
}

/// Returns whether the transaction contains the revert of the edit that waits for its confirmation.
bool reverts_another(Call& call) {
    const auto& recall = state_of(call).recall;
    return recall && recall->reverts &&
           recall->reverts == call.services.confirmation.revertible(call.client.identity().author);
}

/// Returns whether no other edit waits for its confirmation.
bool admitted(Call& call) {
    const bool opens = state_of(call).confirm_within_s.has_value();
    if (reverts_another(call)) return true;
    const auto admits = call.services.confirmation.admits(call.client.identity().author, opens);
    if (!admits) {
        call.request.refuse(admits.error());
        return false;
    }
    if (!*admits) {
        retry_after_progress(
            call, call.services.plan_room,
            Error{ErrorCode::resource_exhausted, "an edit that must be confirmed, or a revert, is being saved", {}});
        return false;
    }
    return !opens || claim(call);
}

void set_confirmation(v1::Response& response, v1::OpenConfirmation&& confirmation) {
    const auto set = [&](auto& result) { *result.mutable_confirmation() = std::move(confirmation); };
    if (response.has_undo()) return set(*response.mutable_undo());
    if (response.has_redo()) return set(*response.mutable_redo());
    if (response.has_recall_scene()) return set(*response.mutable_recall_scene()->mutable_transaction());
    set(*response.mutable_apply_transaction());
}

}  // namespace

bool may_commit(Call& call) {
    // Retried when the client's first pending request is answered.
    if (state_of(call).wait_for_start && call.client.unanswered() >= Client::kMaximumWaits) return false;
    if (!guard_holds(call, state_of(call).guard)) return false;
    if (!state_of(call).refusal) {
        if (!call.request.claim && !admitted(call)) return false;
        if (!may_record(call, state_of(call).edit_bytes)) return false;
    }
    const std::size_t room = room_of(call.request, state_of(call));
    if (call.services.plan_room.may_ask(call.client, room)) return true;
    retry_later(call, call.services.plan_room, room,
                Error{ErrorCode::resource_exhausted, "other transactions wait for room in the engine", {}});
    return false;
}

std::optional<CommittedTransaction> commit(Call& call) {
    CommittedTransaction committed;
    TransactionState& transaction = state_of(call);
    LoadPrediction::Limit limit{.maximum = transaction.max_load.value_or(0.0F)};
    const Admission admission = transaction.max_load ? call.services.load.admission(limit) : Admission{};
    const auto ticket = call.services.engine.commit(transaction.prepared, &committed.before, admission);
    if (!ticket) {
        if (!limit.refusal) {
            refuse(call, ticket.error());
        } else if (limit.unmeasured.empty() || !measure_missing(call, std::move(limit.unmeasured))) {
            call.request.refuse(*limit.refusal);
        }
        return std::nullopt;
    }
    committed.ticket = *ticket;
    return committed;
}

void conclude(Call& call, CommittedTransaction&& committed) {
    Services& services = call.services;
    TransactionState& transaction = state_of(call);
    const Ticket ticket = committed.ticket;
    const History::Who who{call.client.identity().author, call.client.name()};
    call.request.committed = true;
    // First what must not be missing, even if memory runs out for the rest.
    ComparedStep compared = services.history.compare(committed.before);
    const bool reverts = reverts_another(call);
    if (reverts) {
        // The step begins where the revert ends.
        committed.before = services.confirmation.reverted(who.author);
        compared.recorded = services.history.compare(committed.before).recorded;
    }
    const bool opens = static_cast<bool>(call.request.claim);
    if (transaction.undo) {
        services.history.carried_out(transaction.undo->plan, who.author);
    } else {
        services.history.record(who, ticket.revision, std::move(committed.before), std::move(compared.recorded),
                                transaction.label);
    }
    if (opens) services.confirmation.opened(call.request.claim, ticket.revision);
    requests::committed(call, services.plan_room);
    // The edits must be recorded in any case.
    static_cast<void>(
        guarded("reporting drawn settings", [&] { report_kept_draws(services.engine.graph(), transaction); }));
    publish_edits(services.hub, {call.client.name(), call.client.identity().author}, ticket.revision, transaction.edits,
                  compared.published);
    if (reverts) services.confirmation.announce_revert(call.client.identity().author);
    if (opens) {
        services.confirmation.announce();
        set_confirmation(*call.request.reply.mutable_response(), *services.confirmation.waiting());
    }
    const bool waits = transaction.wait_for_start;
    if (call.request.large || PendingRequest::is_large(transaction.edit_bytes)) {
        services.workers.free(std::move(call.request.state));
    } else {
        call.request.state.reset();
    }
    services.commands.announce(ticket);
    call.request.stage = PendingRequest::Stage::answered;
    await_record(call);
    if (waits) return await_start(call, ticket);
    services.wake();
}

}  // namespace rta::api::requests
