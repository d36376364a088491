// SPDX-License-Identifier: MIT
#include <memory>
#include <utility>

#include "api/call.h"
#include "api/client.h"
#include "api/exception_barrier.h"
#include "api/requests/commit.h"
#include "api/requests/commit_transaction.h"
#include "api/requests/guard.h"
#include "api/requests/recall.h"
#include "api/requests/scheduled.h"
#include "api/requests/transaction.h"
#include "api/services.h"
#include "graph/edit_checks.h"

namespace rta::api::requests {
namespace {

/// A plan becomes invalid if the graph changes before it is committed.
constexpr std::uint32_t kMostRecallPlans = 16;

/// Checks what does not depend on the graph.
Expected<void> check_recall(const v1::RecallScene& message) {
    if (message.force() && message.has_at())
        return fail(ErrorCode::invalid_argument, "the recall has `at` and force: expected one of the two");
    if (message.has_confirm_within_s()) {
        if (auto good = Confirmation::check_time(message.confirm_within_s(), message.has_at()); !good) return good;
    }
    if (message.has_fade_ms()) {
        if (auto good = check_fade(message.fade_ms()); !good) return good;
    }
    if (const auto max_load = read_max_load(message); !max_load) return std::unexpected(max_load.error());
    return {};
}

Expected<std::shared_ptr<const Recall>> read_recall(Call& call) {
    const v1::RecallScene& message = call.request.message.recall_scene();
    auto scene = call.services.scenes.find(message.name());
    if (!scene) return std::unexpected(std::move(scene.error()));
    Recall recall{.scene = std::move(*scene), .spares = call.services.scenes.take_spares()};
    if (message.has_fade_ms()) recall.fade_ms = message.fade_ms();
    return std::make_shared<const Recall>(std::move(recall));
}

/// What a worker needs to plan the transaction, and the result.
struct RecallJob {
    std::shared_ptr<const Recall> recall;
    SharedGraphSnapshot snapshot;
    std::optional<Confirmation::Revertible> reverts;
    AudioGraph base;                           ///< the graph after the revert, if there is one
    std::unique_ptr<RequestState> outdated{};  ///< the plan before, whose processors the new one may use
    Expected<std::unique_ptr<RequestState>> state = fail(ErrorCode::internal, "the recall was not planned");

    /// [any]
    void run(const Engine& engine) {
        outdated.reset();
        state = recall->plan(engine, std::move(snapshot), reverts ? &base : nullptr);
        if (state) static_cast<TransactionState&>(**state).recall->reverts = reverts;
    }
};

/// With `force`, the edit of another author that waits for its confirmation: it is reverted together with the recall, by one
/// commit, which is all or nothing.
std::optional<Confirmation::Revertible> edit_to_revert(const Call& call) {
    const v1::RecallScene& message = call.request.message.recall_scene();
    if (!message.force() || message.has_at()) return std::nullopt;
    return call.services.confirmation.revertible(call.client.identity().author);
}

void start_recall(Call& call, std::unique_ptr<RequestState> outdated = nullptr) {
    auto recall = read_recall(call);
    if (!recall) return call.request.refuse(recall.error());
    if (call.request.message.recall_scene().has_at()) return schedule_recall(call, *recall);
    Services& services = call.services;
    const auto reverts = edit_to_revert(call);
    if (reverts && call.request.message.recall_scene().has_confirm_within_s()) {
        return call.request.refuse(Error{
            ErrorCode::failed_precondition,
            "the recall would revert an edit that waits for its confirmation, and has confirm_within_s: expected the "
            "edit to be reverted first, or the recall without confirm_within_s",
            {}});
    }
    const auto job =
        std::make_shared<RecallJob>(std::move(*recall), services.snapshot(), reverts,
                                    reverts ? services.confirmation.target() : AudioGraph{}, std::move(outdated));
    ++call.request.plans;
    call.request.stage = PendingRequest::Stage::preparing;
    services.workers.run(
        "planning a recall", [job, &engine = std::as_const(services.engine)] { job->run(engine); },
        [job, handle = call.handle()](const Expected<void>& ran) {
            job->base = {};  // on this thread
            if (!ran) job->state = std::unexpected(unchanged(ran.error()));
            handle.resume([&](Call& later) { later.request.prepared(std::move(job->state)); });
        });
}

TransactionState& recall_state(Call& call) { return static_cast<TransactionState&>(*call.request.state); }

void plan_again(Call& call) {
    std::unique_ptr<RequestState> outdated = std::move(call.request.state);
    call.request.stage = PendingRequest::Stage::waiting;
    if (call.request.plans < kMostRecallPlans) return start_recall(call, std::move(outdated));
    call.request.refuse(
        Error{ErrorCode::aborted, "other clients have changed the graph in the meantime; nothing has changed", {}});
}

/// Returns whether the recall may be committed now, in this step. Otherwise it is planned again, waits, or is refused.
bool may_commit_recall(Call& call) {
    TransactionState& transaction = recall_state(call);
    if (transaction.recall->reverts != edit_to_revert(call)) {
        plan_again(call);
        return false;
    }
    if (!may_commit(call)) return false;
    const std::size_t bytes = transaction.edit_bytes;
    if (!settle_recall(transaction, call.services.engine.graph(), call.services.scenes)) {
        plan_again(call);
        return false;
    }
    return transaction.edit_bytes <= bytes || may_record(call, transaction.edit_bytes);
}

}  // namespace

void recall_scene(Call& call) {
    using Stage = PendingRequest::Stage;
    if (call.request.stage == Stage::preparing) return;
    if (call.request.stage != Stage::prepared) {
        if (const auto good = check_recall(call.request.message.recall_scene()); !good)
            return call.request.refuse(good.error());
        start_recall(call);
    }
    if (call.request.stage != Stage::prepared) return;
    TransactionState& transaction = recall_state(call);
    const v1::RecallScene& message = call.request.message.recall_scene();
    transaction.wait_for_start = message.wait_for_start();
    transaction.guard = message.guard();
    if (message.has_confirm_within_s()) transaction.confirm_within_s = message.confirm_within_s();
    if (message.has_max_load()) transaction.max_load = message.max_load();
    const std::uint32_t plans = call.request.plans;
    if (!may_commit_recall(call)) {
        // The worker has already finished a new plan: nothing else would execute the request.
        if (call.request.stage == Stage::prepared && call.request.plans != plans) recall_scene(call);
        return;
    }
    const std::string name = transaction.recall->name;
    v1::RecallSceneResult& result = *call.request.begin_answer().mutable_recall_scene();
    result.set_was_prepared(transaction.recall->was_read && transaction.prepared.built_count() == 0);
    if (!result.was_prepared()) result.set_prepare_ms(transaction.recall->prepare_ms);
    const Scenes::Who who{call.client.identity().author, call.client.name()};
    auto committed = commit(call);
    if (!committed) return;
    const std::uint64_t revision = committed->ticket.revision;
    write_ticket(committed->ticket, *result.mutable_transaction());
    conclude(call, std::move(*committed));
    call.services.scenes.recalled(name, revision, who);
}

}  // namespace rta::api::requests
