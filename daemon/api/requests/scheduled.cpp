// SPDX-License-Identifier: MIT
#include "api/requests/scheduled.h"

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
    const bool transaction = edit.transaction != nullptr;
    auto pending = call.services.schedule.add(std::move(edit));
    if (!pending) return call.request.refuse(pending.error());
    v1::Response& response = call.request.answer();
    if (transaction) {
        *response.mutable_apply_transaction()->mutable_pending() = std::move(*pending);
    } else {
        *response.mutable_set_parameters()->mutable_pending() = std::move(*pending);
    }
    call.services.wake();
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
    if (!guard_holds(call, transaction.content->guard())) return;
    struct Job {
        Schedule::Edit edit;
        SharedGraphSnapshot snapshot;
        Expected<void> outcome{};
    };
    const auto job = std::make_shared<Job>(Job{.edit = edit_of(call), .snapshot = nullptr});
    job->edit.transaction = transaction.content;
    if (auto good = call.services.schedule.read(transaction.content->at(), job->edit); !good)
        return call.request.refuse(good.error());
    if (auto room = call.services.schedule.check_room(job->edit); !room) return call.request.refuse(room.error());
    job->snapshot = call.services.snapshot();
    call.request.stage = PendingRequest::Stage::executed;
    call.services.workers.run(
        "checking the transaction",
        [job, &engine = std::as_const(call.services.engine)] {
            job->outcome = check(engine, std::move(job->snapshot), *job->edit.transaction);
        },
        [job, handle = call.handle()](const Expected<void>& ran) {
            handle.resume([&](Call& later) {
                if (!ran) return later.request.refuse(unchanged(ran.error()));
                if (!guard_holds(later, job->edit.transaction->guard())) return;
                if (!job->outcome) return later.request.refuse(job->outcome.error());
                add(later, std::move(job->edit));
            });
        },
        Workers::Lane::answers);
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
