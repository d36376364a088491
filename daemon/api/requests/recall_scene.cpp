// SPDX-License-Identifier: MIT
#include <memory>
#include <utility>

#include "api/call.h"
#include "api/client.h"
#include "api/exception_barrier.h"
#include "api/requests/commit_transaction.h"
#include "api/requests/guard.h"
#include "api/requests/recall.h"
#include "api/requests/scheduled.h"
#include "api/requests/transaction.h"
#include "api/services.h"
#include "text/format_number.h"

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
    if (message.has_fade_ms() && !(message.fade_ms() >= 0.0F && message.fade_ms() <= kMaximumRampMs)) {
        return fail(ErrorCode::invalid_argument, "a fade of " + format_number(message.fade_ms()) +
                                                     " ms is out of range: expected 0 to " +
                                                     format_number(kMaximumRampMs) + " ms");
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
    std::uint64_t latest_edit;
    SharedGraphSnapshot snapshot;
    Expected<std::unique_ptr<RequestState>> state = fail(ErrorCode::internal, "the recall was not planned");
};

void start_recall(Call& call) {
    auto recall = read_recall(call);
    if (!recall) return call.request.refuse(recall.error());
    if (call.request.message.recall_scene().has_at()) return schedule_recall(call, *recall);
    Services& services = call.services;
    const auto job =
        std::make_shared<RecallJob>(std::move(*recall), services.hub.latest_edit().number, services.snapshot());
    ++call.request.plans;
    call.request.stage = PendingRequest::Stage::preparing;
    services.workers.run(
        "planning a recall",
        [job, &engine = std::as_const(services.engine)] {
            job->state = job->recall->plan(engine, std::move(job->snapshot), job->latest_edit);
        },
        [job, handle = call.handle()](const Expected<void>& ran) {
            if (!ran) job->state = std::unexpected(unchanged(ran.error()));
            handle.resume([&](Call& later) { later.request.prepared(std::move(job->state)); });
        });
}

TransactionState& recall_state(Call& call) { return static_cast<TransactionState&>(*call.request.state); }

/// Returns whether the plan still leads to the scene. Otherwise a new one is made, or the request refused.
bool recall_is_current(Call& call) {
    if (recall_state(call).recall->is_current(call.services.engine, call.services.hub)) return true;
    Engine::give_back(std::move(recall_state(call).prepared));
    call.request.state.reset();
    call.request.stage = PendingRequest::Stage::waiting;
    if (call.request.plans < kMostRecallPlans) {
        start_recall(call);
    } else {
        call.request.refuse(
            Error{ErrorCode::aborted, "other clients have changed the graph in the meantime; nothing has changed", {}});
    }
    return false;
}

/// With `force`, reverts the edit of another author that waits for its confirmation, if the recall is possible otherwise.
/// Returns whether the recall continues; otherwise it continues later, or is refused.
bool revert_first(Call& call) {
    using Stage = PendingRequest::Stage;
    v1::RecallScene& message = *call.request.message.mutable_recall_scene();
    Confirmation& confirmation = call.services.confirmation;
    const auto waiting = confirmation.waiting();
    const std::string& author = call.client.identity().author;
    if (!message.force() || message.has_at() || !waiting || waiting->author() == author) return true;
    if (!confirmation.check_waiting(waiting->id())) return true;  // it is being confirmed or reverted
    if (!call.services.scenes.find(message.name())) return true;
    if (!guard_holds(call, message.guard())) return false;
    message.clear_guard();  // it was about the graph before the revert
    call.request.stage = Stage::preparing;
    const auto reverted = [handle = call.handle()](const Expected<Confirmation::Reverted>& outcome) {
        handle.resume([&](Call& later) {
            if (!outcome) return later.request.refuse(outcome.error());
            later.request.stage = Stage::waiting;
        });
    };
    confirmation.revert({author, call.client.name()}, reverted);
    return call.request.stage == Stage::waiting;
}

void give_back_if_refused(Call& call) {
    if (call.request.turn_over() && call.request.state != nullptr)
        Engine::give_back(std::move(recall_state(call).prepared));
}

}  // namespace

void recall_scene(Call& call) {
    using Stage = PendingRequest::Stage;
    if (call.request.stage == Stage::preparing) return;
    if (call.request.stage != Stage::prepared) {
        if (const auto good = check_recall(call.request.message.recall_scene()); !good)
            return call.request.refuse(good.error());
        if (!revert_first(call)) return;
        start_recall(call);
    }
    if (call.request.stage != Stage::prepared) return;
    TransactionState& transaction = recall_state(call);
    const v1::RecallScene& message = call.request.message.recall_scene();
    transaction.wait_for_start = message.wait_for_start();
    transaction.guard = message.guard();
    if (message.has_confirm_within_s()) transaction.confirm_within_s = message.confirm_within_s();
    if (message.has_max_load()) transaction.max_load = message.max_load();
    if (!may_commit(call)) return give_back_if_refused(call);
    if (!recall_is_current(call)) {
        // The worker has already finished: nothing else would execute the request.
        if (call.request.stage == Stage::prepared) recall_scene(call);
        return;
    }
    const RecallOfScene recall = *transaction.recall;
    v1::RecallSceneResult& result = *call.request.begin_answer().mutable_recall_scene();
    result.set_was_prepared(recall.was_read && transaction.prepared.built_count() == 0);
    if (!result.was_prepared()) result.set_prepare_ms(recall.prepare_ms);
    const Scenes::Who who{call.client.identity().author, call.client.name()};
    auto committed = commit(call);
    if (!committed) return give_back_if_refused(call);
    const std::uint64_t revision = committed->ticket.revision;
    write_ticket(committed->ticket, *result.mutable_transaction());
    conclude(call, std::move(*committed));
    call.services.scenes.recalled(recall.name, revision, who);
}

}  // namespace rta::api::requests
