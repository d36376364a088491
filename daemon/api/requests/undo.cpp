// SPDX-License-Identifier: MIT
// Undo and Redo.
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
#include "api/requests/commit_transaction.h"
#include "api/requests/transaction.h"
#include "api/services.h"

namespace rta::api::requests {
namespace {

/// A plan becomes invalid if the history changes before it is committed.
constexpr std::uint32_t kMostPlans = 16;
constexpr std::size_t kMostFreshNodes = 256;

template <class Message>
Expected<UndoWish> to_wish(const Message& message, const std::string& author) {
    const std::uint32_t steps = message.has_steps() ? message.steps() : 1;
    if (steps < 1 || steps > History::kMaximumSteps) {
        return fail(ErrorCode::invalid_argument,
                    "steps is " + std::to_string(steps) + ": expected 1 to " + std::to_string(History::kMaximumSteps));
    }
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
        if (auto fits = check_event_size(content.edits.ByteSizeLong()); !fits) {
            fits.error().sentence += "; undo or redo fewer steps at once";
            state = std::unexpected(std::move(fits.error()));
            return;
        }
        content.transaction.edits = std::move(plan->edits);
        content.transaction.restores = true;
        state = prepare_transaction(engine, std::move(snapshot), std::move(content));
        if (!state) return;
        static_cast<TransactionState&>(**state).undo =
            UndoTransaction{std::move(*plan), std::move(result), generation, plans};
    }
};

void start_plan(Call& call, std::uint32_t plans) {
    Services& services = call.services;
    auto wish = wish_of(call);
    if (!wish) return call.request.refuse(wish.error());
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

/// Returns whether the plan still fits the history. Otherwise a new one is made, or the request refused.
bool is_current(Call& call) {
    const UndoTransaction& undo = *static_cast<TransactionState&>(*call.request.state).undo;
    if (undo.generation == call.services.history.generation()) return true;
    const std::uint32_t plans = undo.plans;
    call.request.state.reset();
    call.request.stage = PendingRequest::Stage::waiting;
    if (plans < kMostPlans) {
        start_plan(call, plans + 1);
    } else {
        call.request.refuse(
            Error{ErrorCode::aborted, "other clients have changed the graph in the meantime; nothing has changed", {}});
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
    if (!is_current(call)) {
        // The worker has already finished: nothing else would execute the request.
        if (call.request.stage == Stage::prepared) execute(call);
        return;
    }
    v1::Response& answer = call.request.begin_answer();
    v1::UndoResult& result = call.request.message.has_redo() ? *answer.mutable_redo() : *answer.mutable_undo();
    result = transaction.undo->result;
    auto committed = commit(call);
    if (!committed) return;
    write_ticket(committed->ticket, result);
    conclude(call, std::move(*committed));
}

}  // namespace

void undo(Call& call) { execute(call); }
void redo(Call& call) { execute(call); }

}  // namespace rta::api::requests
