// SPDX-License-Identifier: MIT
// Undo and Redo.
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "api/call.h"
#include "api/client.h"
#include "api/convert.h"
#include "api/exception_barrier.h"
#include "api/requests/commit.h"
#include "api/requests/commit_transaction.h"
#include "api/requests/transaction.h"
#include "api/services.h"
#include "graph/edit_checks.h"

namespace rta::api::requests {
namespace {

/// How often a worker plans, if other clients change the same nodes in the meantime.
constexpr std::uint32_t kMostPlans = 16;
/// A plan of this size is made again on the control thread, just before it is committed.
constexpr std::size_t kPlannedHere = 256;
constexpr std::size_t kMostFreshNodes = 256;

template <class Message>
Expected<UndoWish> to_wish(const Message& message, const std::string& author) {
    const std::uint32_t steps = message.has_steps() ? message.steps() : 1;
    if (auto good = check_steps(steps); !good) return std::unexpected(std::move(good.error()));
    if (message.has_confirm_within_s()) {
        if (auto good = Confirmation::check_time(message.confirm_within_s()); !good)
            return std::unexpected(std::move(good.error()));
    }
    return UndoWish{.redo = std::is_same_v<Message, v1::Redo>,
                    .steps = steps,
                    .author = author,
                    .of_all = message.of_all(),
                    .force = message.force()};
}

Expected<UndoWish> wish_of(const Call& call) {
    const std::string& author = call.client.identity().author;
    return call.request.message.has_redo() ? to_wish(call.request.message.redo(), author)
                                           : to_wish(call.request.message.undo(), author);
}

bool waits_for_start(const v1::Request& message) {
    return message.has_redo() ? message.redo().wait_for_start() : message.undo().wait_for_start();
}

template <class Message>
std::optional<std::uint32_t> confirm_within_s(const Message& message) {
    return message.has_confirm_within_s() ? std::optional{message.confirm_within_s()} : std::nullopt;
}

const v1::Guard& guard_of(const v1::Request& message) {
    return message.has_redo() ? message.redo().guard() : message.undo().guard();
}

void add_step(std::span<const HistoryStep> steps, std::uint64_t number, bool undone, const std::string& author,
              v1::UndoResult& result) {
    const auto step = std::ranges::lower_bound(steps, number, {}, &HistoryStep::number);
    v1::HistoryStep& message = *result.add_steps();
    to_wire(*step, message);
    message.set_undone(undone);
    message.set_undone_by(undone ? author : "");
}

v1::UndoResult result_of(const UndoPlan& plan, std::span<const HistoryStep> steps, const std::string& author) {
    v1::UndoResult result;
    for (const std::uint64_t number : plan.undone) add_step(steps, number, true, author, result);
    for (const std::uint64_t number : plan.redone) add_step(steps, number, false, author, result);
    for (std::size_t i = 0; i < std::min(plan.fresh_nodes.size(), kMostFreshNodes); ++i)
        result.add_fresh_nodes(plan.fresh_nodes[i]);
    return result;
}

/// What a worker needs to plan and build the transaction, and the result.
struct UndoJob {
    UndoWish wish;
    std::vector<HistoryStep> steps;
    SharedGraphSnapshot snapshot;
    std::uint64_t generation;  ///< of the history
    std::uint32_t plans;       ///< including this one
    Expected<std::unique_ptr<RequestState>> state = fail(ErrorCode::internal, "the undo was not planned");

    /// [any]
    void run(const Engine& engine) {
        auto plan = plan_undo(steps, wish, snapshot->graph, engine.registry());
        if (!plan) {
            state = std::unexpected(std::move(plan.error()));
            return;
        }
        v1::UndoResult result = result_of(*plan, steps, wish.author);
        TransactionContent content;
        content.whole_graph = true;  // the client has not numbered the edits
        for (const Edit& edit : plan->edits) to_wire(edit, *content.edits.add_edits());
        content.transaction.edits = plan->edits;
        content.transaction.restores = true;
        auto prepared = engine.prepare(std::move(content.transaction), std::move(snapshot));
        if (!prepared) {
            state = std::unexpected(without_index(std::move(prepared.error()), true));
            return;
        }
        auto transaction = std::make_unique<TransactionState>(std::move(content), std::move(*prepared));
        transaction->edit_bytes = transaction->edits.ByteSizeLong();
        transaction->undo = UndoTransaction{std::move(*plan), std::move(result), generation, plans};
        state = std::move(transaction);
    }
};

void start_plan(Call& call, std::uint32_t plans, std::vector<std::uint64_t> chosen = {}) {
    Services& services = call.services;
    auto wish = wish_of(call);
    if (!wish) return call.request.refuse(wish.error());
    wish->chosen = std::move(chosen);
    if (services.history.computing()) return services.history.when_computed(call.handle());
    const auto job = std::make_shared<UndoJob>(std::move(*wish), services.history.steps(), services.snapshot(),
                                               services.history.generation(), plans);
    call.request.stage = PendingRequest::Stage::preparing;
    services.workers.run(
        "planning an undo", [job, &engine = std::as_const(services.engine)] { job->run(engine); },
        [job, handle = call.handle()](const Expected<void>& ran) {
            job->steps.clear();  // on this thread
            job->snapshot.reset();
            if (!ran) job->state = std::unexpected(unchanged(ran.error()));
            handle.resume([&](Call& later) { later.request.prepared(std::move(job->state)); });
        });
}

bool same_edits(std::span<const Edit> a, std::span<const Edit> b) {
    if (a.size() != b.size()) return false;
    v1::EditList first;
    v1::EditList second;
    for (const Edit& edit : a) to_wire(edit, *first.add_edits());
    for (const Edit& edit : b) to_wire(edit, *second.add_edits());
    return google::protobuf::util::MessageDifferencer::Equals(first, second);
}

/// Plans for the present history, if that does not take long. Returns whether the prepared edits are still right; an
/// error refuses the request.
Expected<bool> plan_here(Call& call) {
    History& history = call.services.history;
    UndoTransaction& undo = *static_cast<TransactionState&>(*call.request.state).undo;
    auto wish = wish_of(call);
    if (!wish || wish->force || history.computing() || undo.plan.size > kPlannedHere) return false;
    wish->chosen = undo.plan.chosen;
    const std::vector<HistoryStep> steps = history.steps();
    const Engine& engine = call.services.engine;
    auto plan = plan_undo(steps, *wish, engine.graph(), engine.registry());
    if (!plan) return std::unexpected(std::move(plan.error()));
    if (!same_edits(plan->edits, undo.plan.edits)) return false;
    v1::UndoResult result = result_of(*plan, steps, wish->author);
    undo = UndoTransaction{std::move(*plan), std::move(result), history.generation(), undo.plans};
    set_last(static_cast<TransactionState&>(*call.request.state), {});
    return true;
}

/// Returns whether the plan fits the present history. Otherwise a worker makes a new one, for the same steps, or the request
/// is refused.
bool is_current(Call& call) {
    auto& transaction = static_cast<TransactionState&>(*call.request.state);
    const UndoTransaction& undo = *transaction.undo;
    if (auto values = call.services.history.values_since(undo.plan, undo.generation)) {
        const std::size_t bytes = transaction.edit_bytes;
        set_last(transaction, std::move(*values));
        return transaction.edit_bytes <= bytes || may_record(call, transaction.edit_bytes);
    }
    const auto planned = plan_here(call);
    if (planned && *planned) return true;
    if (!planned) {
        call.request.refuse(planned.error());
        return false;
    }
    const std::uint32_t plans = undo.plans;
    std::vector<std::uint64_t> chosen = undo.plan.chosen;
    call.request.state.reset();
    call.request.stage = PendingRequest::Stage::waiting;
    if (plans < kMostPlans) {
        start_plan(call, plans + 1, std::move(chosen));
    } else {
        call.request.refuse(Error{
            ErrorCode::aborted, "other clients have changed the same nodes in the meantime; nothing has changed", {}});
    }
    return false;
}

void execute(Call& call) {
    using Stage = PendingRequest::Stage;
    if (call.request.stage == Stage::preparing) return;
    if (call.request.stage != Stage::prepared) start_plan(call, 1);
    if (call.request.stage != Stage::prepared) return;
    auto& transaction = static_cast<TransactionState&>(*call.request.state);
    transaction.wait_for_start = waits_for_start(call.request.message);
    transaction.guard = guard_of(call.request.message);
    transaction.confirm_within_s = call.request.message.has_redo() ? confirm_within_s(call.request.message.redo())
                                                                   : confirm_within_s(call.request.message.undo());
    if (!may_commit(call)) return;
    const std::uint32_t plans = transaction.undo->plans;
    if (!is_current(call)) {
        // The worker has already finished a new plan: nothing else would execute the request.
        const bool planned = call.request.stage == Stage::prepared;
        if (planned && static_cast<TransactionState&>(*call.request.state).undo->plans != plans) execute(call);
        return;
    }
    v1::Response& answer = call.request.begin_answer();
    v1::UndoResult& result = call.request.message.has_redo() ? *answer.mutable_redo() : *answer.mutable_undo();
    result = transaction.undo->result;
    auto committed = commit(call);
    if (!committed) return;
    write_ticket(committed->ticket, result);
    remove_kept_nodes(transaction.prepared.kept_nodes(), *result.mutable_fresh_nodes());
    conclude(call, std::move(*committed));
}

}  // namespace

void undo(Call& call) { execute(call); }
void redo(Call& call) { execute(call); }

}  // namespace rta::api::requests
