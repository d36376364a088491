// SPDX-License-Identifier: MIT
#include "api/requests/scheduled.h"

#include <functional>
#include <memory>
#include <utility>

#include "api/client.h"
#include "api/exception_barrier.h"
#include "api/requests/guard.h"
#include "api/requests/transaction.h"
#include "api/schedule.h"
#include "api/services.h"

namespace rta::api::requests {
namespace {

Schedule::Edit edit_of(const Call& call) {
    const Identity& identity = call.client.identity();
    Schedule::Edit edit;
    edit.author = identity.author;
    edit.client_name = call.client.name();
    edit.token = identity.token;
    edit.bytes = call.request.bytes;
    return edit;
}

/// Checks whether the transaction applies to the snapshot. [any]
Expected<void> check(const Engine& engine, SharedGraphSnapshot snapshot, v1::ApplyTransaction message) {
    auto content = take_content(message, engine);
    const bool whole_graph = content && content->whole_graph;
    const auto state = prepare_transaction(engine, std::move(snapshot), std::move(content));
    if (!state) return std::unexpected(without_index(state.error(), whole_graph));
    const auto result = Engine::result(static_cast<const TransactionState&>(**state).prepared);
    if (!result) return std::unexpected(without_index(result.error(), whole_graph));
    return {};
}

void add(Call& call, Schedule::Edit edit) {
    const bool transaction = edit.is_transaction();
    const bool recall = static_cast<bool>(edit.find_plan);
    auto pending = call.services.schedule.add(std::move(edit));
    if (!pending) return call.request.refuse(pending.error());
    v1::Response& response = call.request.answer();
    if (recall) {
        *response.mutable_recall_scene()->mutable_transaction()->mutable_pending() = std::move(*pending);
    } else if (transaction) {
        *response.mutable_apply_transaction()->mutable_pending() = std::move(*pending);
    } else {
        *response.mutable_set_parameters()->mutable_pending() = std::move(*pending);
    }
    call.services.wake();
}

/// Whether the edit applies to a snapshot. [any]
using CheckEdit = std::function<Expected<void>(const Engine& engine, SharedGraphSnapshot snapshot)>;

/// Adds the edit after a worker has checked it.
void schedule_checked(Call& call, Schedule::Edit edit, const v1::When& at, const v1::Guard& guard, CheckEdit check) {
    if (!guard_holds(call, guard)) return;
    struct Job {
        Schedule::Edit edit;
        v1::Guard guard;
        CheckEdit check;
        SharedGraphSnapshot snapshot{};
        Expected<void> outcome{};
    };
    const auto job = std::make_shared<Job>(std::move(edit), guard, std::move(check));
    if (auto good = call.services.schedule.read(at, job->edit); !good) return call.request.refuse(good.error());
    if (auto room = call.services.schedule.check_room(job->edit); !room) return call.request.refuse(room.error());
    job->snapshot = call.services.snapshot();
    call.request.stage = PendingRequest::Stage::executed;
    call.services.workers.run(
        "checking the transaction",
        [job, &engine = std::as_const(call.services.engine)] {
            job->outcome = job->check(engine, std::move(job->snapshot));
        },
        [job, handle = call.handle()](const Expected<void>& ran) {
            handle.resume([&](Call& later) {
                if (!ran) return later.request.refuse(unchanged(ran.error()));
                if (!guard_holds(later, job->guard)) return;
                if (!job->outcome) return later.request.refuse(job->outcome.error());
                add(later, std::move(job->edit));
            });
        },
        Workers::Lane::answers);
}

}  // namespace

std::unique_ptr<RequestState> scheduled_state(v1::Request& message) {
    auto content = std::make_shared<v1::ApplyTransaction>();
    content->Swap(message.mutable_apply_transaction());
    auto state = std::make_unique<ScheduledTransaction>();
    state->content = std::move(content);
    return state;
}

void schedule_transaction(Call& call, const ScheduledTransaction& transaction) {
    Schedule::Edit edit = edit_of(call);
    edit.transaction = transaction.content;
    if (transaction.content->has_max_load()) edit.max_load = transaction.content->max_load();
    schedule_checked(call, std::move(edit), transaction.content->at(), transaction.content->guard(),
                     [content = transaction.content](const Engine& engine, SharedGraphSnapshot snapshot) {
                         return check(engine, std::move(snapshot), *content);
                     });
}

void schedule_recall(Call& call, const std::shared_ptr<const Recall>& recall) {
    const v1::RecallScene& message = call.request.message.recall_scene();
    const std::string& name = message.name();
    Schedule::Edit edit = edit_of(call);
    edit.summary = recall->label();
    if (message.has_max_load()) edit.max_load = message.max_load();
    edit.find_plan = [name, fade_ms = recall->fade_ms, &scenes = call.services.scenes]() -> Expected<Schedule::Plan> {
        auto scene = scenes.find(name);
        if (!scene) return std::unexpected(std::move(scene.error()));
        const auto later = std::make_shared<const Recall>(Recall{std::move(*scene), fade_ms, scenes.take_spares()});
        return [later](const Engine& engine, SharedGraphSnapshot snapshot) {
            return later->plan(engine, std::move(snapshot));
        };
    };
    edit.settle = [&engine = call.services.engine, &scenes = call.services.scenes](TransactionState& transaction) {
        return settle_recall(transaction, engine.graph(), scenes);
    };
    edit.committed = [name, who = Scenes::Who{edit.author, edit.client_name},
                      &scenes = call.services.scenes](std::uint64_t revision) { scenes.recalled(name, revision, who); };
    schedule_checked(call, std::move(edit), message.at(), message.guard(),
                     [recall](const Engine& engine, SharedGraphSnapshot snapshot) {
                         return recall->check(engine, std::move(snapshot), nullptr);
                     });
}

void schedule_parameters(Call& call, const std::vector<SetParameter>& changes) {
    const v1::SetParameters& message = call.request.message.set_parameters();
    if (!guard_holds(call, message.guard())) return;
    Schedule::Edit edit = edit_of(call);
    if (auto good = call.services.schedule.read(message.at(), edit); !good) return call.request.refuse(good.error());
    if (auto good = call.services.engine.check_parameters(changes); !good) return call.request.refuse(good.error());
    edit.parameters = std::make_shared<v1::SetParameters>(message);
    add(call, std::move(edit));
}

}  // namespace rta::api::requests
