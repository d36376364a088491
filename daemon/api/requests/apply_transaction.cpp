// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstddef>
#include <utility>

#include "api/call.h"
#include "api/client.h"
#include "api/requests/commit.h"
#include "api/requests/guard.h"
#include "api/requests/transaction.h"
#include "api/services.h"

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

bool is_relative(const v1::Edit& edit) {
    return edit.set_parameter().relative_case() != v1::SetParameter::RELATIVE_NOT_SET;
}

/// Allocates what report_relative_changes() fills.
void prepare_relative_changes(const v1::EditList& edits, v1::TransactionResult& result) {
    for (const v1::Edit& edit : edits.edits()) {
        if (is_relative(edit)) *result.add_relative_changes() = edit.set_parameter();
    }
}

/// Replaces the relative changes, in the edits and in the result, by the values to which they have set the parameters.
void report_relative_changes(const PreparedTransaction& prepared, v1::EditList& edits, v1::TransactionResult& result) {
    int index = 0;
    for (const RelativeChange& change : prepared.relative_changes()) {
        set_result(*result.mutable_relative_changes(index++), change.value);
        set_result(*edits.mutable_edits(static_cast<int>(change.edit_index))->mutable_set_parameter(), change.value);
    }
}

void publish_edits(Services& services, const Client& client, std::uint64_t revision, v1::EditList& edits) {
    const std::string& author = client.identity().author;
    services.hub.publish_edit(author, client.name(), [&](v1::Event& event) {
        v1::GraphChanged& changed = *event.mutable_graph_changed();
        changed.set_revision(revision);
        changed.mutable_edits()->Swap(edits.mutable_edits());
        changed.set_client_name(client.name());
        changed.set_author(author);
    });
}

void refuse_transaction(Call& call, const TransactionState& transaction, const Error& error) {
    if (build_missing(call, error)) return;
    if (call.services.engine.refused_until_progress()) return retry_after_progress(call, error);
    // If an edit is at fault, the engine is not full, so waiting does not help.
    if (error.code == ErrorCode::resource_exhausted && !error.edit_index)
        return retry_later(call, call.services.plan_room, room_of(call.request, transaction), error);
    call.request.refuse(without_index(error, transaction.whole_graph));
}

}  // namespace

Expected<std::unique_ptr<RequestState>> prepare_apply_transaction(const Engine& engine, SharedGraphSnapshot snapshot,
                                                                  v1::Request& message) {
    v1::ApplyTransaction& wanted = *message.mutable_apply_transaction();
    auto content = take_content(wanted, engine);
    if (!content) return std::unexpected(std::move(content.error()));
    const bool in_snapshot = snapshot != nullptr;
    auto state = prepare_transaction(engine, std::move(snapshot), std::move(content));
    if (!state) {
        if (!in_snapshot || !wanted.has_guard()) return state;
        // Refused by the graph: whether that is the one which the client expects is known on the control thread only.
        auto refused = std::make_unique<TransactionState>(TransactionContent{}, PreparedTransaction{});
        refused->refusal = std::move(state.error());
        state = std::move(refused);
    }
    auto& transaction = static_cast<TransactionState&>(**state);
    transaction.wait_for_start = wanted.wait_for_start();
    transaction.guard.Swap(wanted.mutable_guard());
    return state;
}

void apply_transaction(Call& call) {
    Services& services = call.services;
    auto& transaction = static_cast<TransactionState&>(*call.request.state);
    const bool waits = transaction.wait_for_start;
    // Retried when the client's first pending request is answered.
    if (waits && call.client.unanswered() >= Client::kMaximumWaits) return;
    if (!guard_holds(call, transaction.guard)) return;
    if (transaction.refusal) return call.request.refuse(*transaction.refusal);
    const std::size_t room = room_of(call.request, transaction);
    if (!services.plan_room.may_ask(call.client, room)) {
        return retry_later(call, services.plan_room, room,
                           Error{ErrorCode::resource_exhausted, "other transactions wait for room in the engine", {}});
    }
    // Allocated before the commit: without memory, the answer must still carry the revision.
    v1::TransactionResult& result = *call.request.begin_answer().mutable_apply_transaction();
    add_warnings(transaction, result);
    prepare_relative_changes(transaction.edits, result);
    const auto ticket = services.engine.commit(transaction.prepared);
    if (!ticket) return refuse_transaction(call, transaction, ticket.error());
    report_relative_changes(transaction.prepared, transaction.edits, result);
    result.set_revision(ticket->revision);
    result.set_starts_within_ms(ticket->starts_within_ms);
    result.set_combs(ticket->combs);
    committed(call, services.plan_room);
    report_kept_draws(services.engine.graph(), transaction);
    publish_edits(services, call.client, ticket->revision, transaction.edits);
    if (call.request.large) {
        services.workers.free(std::move(call.request.state));
    } else {
        call.request.state.reset();
    }
    services.commands.announce(*ticket);
    call.request.stage = PendingRequest::Stage::answered;
    if (waits) return await_start(call, *ticket);
    services.wake();
}

}  // namespace rta::api::requests
