// SPDX-License-Identifier: MIT
#include <utility>

#include "api/call.h"
#include "api/exception_barrier.h"
#include "api/requests/commit_transaction.h"
#include "api/requests/scheduled.h"
#include "api/requests/transaction.h"
#include "api/services.h"

namespace rta::api::requests {
namespace {

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

}  // namespace

Expected<std::unique_ptr<RequestState>> prepare_apply_transaction(const Engine& engine, SharedGraphSnapshot snapshot,
                                                                  v1::Request& message) {
    v1::ApplyTransaction& wanted = *message.mutable_apply_transaction();
    if (wanted.has_confirm_within_s()) {
        if (auto good = Confirmation::check_time(wanted.confirm_within_s(), wanted.has_at()); !good)
            return std::unexpected(std::move(good.error()));
    }
    const auto max_load = read_max_load(wanted);
    if (!max_load) return std::unexpected(max_load.error());
    if (wanted.has_at()) return scheduled_state(message);
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
    if (wanted.has_confirm_within_s()) transaction.confirm_within_s = wanted.confirm_within_s();
    transaction.guard.Swap(wanted.mutable_guard());
    transaction.max_load = *max_load;
    return state;
}

void apply_transaction(Call& call) {
    if (auto* const scheduled = dynamic_cast<ScheduledTransaction*>(call.request.state.get()))
        return schedule_transaction(call, *scheduled);
    auto& transaction = static_cast<TransactionState&>(*call.request.state);
    if (!may_commit(call)) return;
    if (transaction.refusal) return call.request.refuse(*transaction.refusal);
    // Allocated before the commit: without memory, the answer must still carry the revision.
    v1::TransactionResult& result = *call.request.begin_answer().mutable_apply_transaction();
    add_warnings(transaction, result);
    prepare_relative_changes(transaction.edits, result);
    auto committed = commit(call);
    if (!committed) return;
    report_relative_changes(transaction.prepared, transaction.edits, result);
    write_ticket(committed->ticket, result);
    static_cast<void>(guarded("predicting the load", [&] { add_prediction(call.services.load.current(), result); }));
    conclude(call, std::move(*committed));
}

}  // namespace rta::api::requests
