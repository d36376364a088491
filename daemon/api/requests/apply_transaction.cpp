// SPDX-License-Identifier: MIT
#include <utility>

#include "api/call.h"
#include "api/client.h"
#include "api/requests/commit.h"
#include "api/requests/transaction.h"
#include "api/services.h"

namespace rta::api::requests {
namespace {

void publish_edits(Services& services, const Client& client, std::uint64_t revision, v1::EditList& edits) {
    services.hub.publish([&](v1::Event& event) {
        v1::GraphChanged& changed = *event.mutable_graph_changed();
        changed.set_revision(revision);
        changed.mutable_edits()->Swap(edits.mutable_edits());
        changed.set_client_name(client.name());
    });
}

void refuse_transaction(Call& call, const TransactionState& transaction, const Error& error) {
    if (build_missing(call, error)) return;
    if (call.services.engine.refused_until_progress()) return retry_after_progress(call, error);
    // If an edit is at fault, the engine is not full, so waiting does not help.
    if (error.code == ErrorCode::resource_exhausted && !error.edit_index)
        return retry_later(call, call.services.plan_room, error);
    call.request.refuse(without_index(error, transaction.whole_graph));
}

}  // namespace

Expected<std::unique_ptr<RequestState>> prepare_apply_transaction(const Engine& engine, SharedGraphSnapshot snapshot,
                                                                  v1::Request& message) {
    auto state =
        prepare_transaction(engine, std::move(snapshot), take_content(*message.mutable_apply_transaction(), engine));
    if (state) static_cast<TransactionState&>(**state).wait_for_start = message.apply_transaction().wait_for_start();
    return state;
}

void apply_transaction(Call& call) {
    Services& services = call.services;
    auto& transaction = static_cast<TransactionState&>(*call.request.state);
    const bool waits = transaction.wait_for_start;
    // Retried when the client's first pending request is answered.
    if (waits && call.client.unanswered() >= Client::kMaximumWaits) return;
    if (!services.plan_room.may_ask(call.client)) {
        return retry_later(call, services.plan_room,
                           Error{ErrorCode::resource_exhausted, "other transactions wait for room in the engine", {}});
    }
    // Allocated before the commit: without memory, the answer must still carry the revision.
    v1::TransactionResult& result = *call.request.begin_answer().mutable_apply_transaction();
    if (result.warnings().empty()) add_warnings(transaction, result);
    const auto ticket = services.engine.commit(transaction.prepared);
    if (!ticket) return refuse_transaction(call, transaction, ticket.error());
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
