// SPDX-License-Identifier: MIT
#include <memory>
#include <utility>

#include "api/call.h"
#include "api/convert.h"
#include "api/requests/guard.h"
#include "api/requests/transaction.h"
#include "api/services.h"
#include "api/workers.h"
#include "graph/difference.h"

namespace rta::api::requests {
namespace {

void add_difference(const AudioGraph& from, const AudioGraph& to, v1::CheckResult& result) {
    for (const Edit& edit : difference(from, to)) to_wire(edit, *result.add_diff());
}

/// A transaction to be checked, and the result.
struct Check final : RequestState {
    explicit Check(TransactionContent&& given) : content{std::move(given)} {}

    TransactionContent content;
    bool with_graph = false;
    bool with_diff = false;
    v1::Guard guard{};
    std::uint64_t id = 0;  ///< of the request
    bool done = false;
    Expected<EncodedAnswer> answer{};

    /// Applies the transaction to the snapshot, and frees it. [any]
    void run(const Engine& engine, SharedGraphSnapshot snapshot) {
        done = true;
        const bool whole_graph = content.whole_graph;
        auto result = apply(engine, std::move(snapshot));
        if (result) {
            answer = std::move(*result);
        } else {
            answer = std::unexpected(without_index(std::move(result.error()), whole_graph));
        }
    }

 private:
    Expected<EncodedAnswer> apply(const Engine& engine, SharedGraphSnapshot snapshot) {
        const auto state = prepare_transaction(engine, snapshot, std::move(content));
        if (!state) return std::unexpected(state.error());
        const auto& transaction = static_cast<const TransactionState&>(**state);
        const auto checked = Engine::result(transaction.prepared);
        if (!checked) return std::unexpected(checked.error());
        return EncodedAnswer::of(id, [&](v1::Response& response) {
            v1::CheckResult& result = *response.mutable_check_graph();
            result.set_node_count(static_cast<std::uint32_t>(checked->node_count()));
            result.set_connection_count(static_cast<std::uint32_t>(checked->connection_count()));
            add_warnings(transaction, result);
            if (with_graph) to_wire(checked->document(), *result.mutable_graph());
            if (with_diff) add_difference(snapshot->graph, *checked, result);
            result.set_revision(snapshot->revision);
            result.set_change_number(snapshot->change_number.value_or(0));
        });
    }
};

void take_result(PendingRequest& request, Check& check) {
    if (!check.answer) return request.refuse(check.answer.error());
    request.answer(std::move(*check.answer));
}

}  // namespace

Expected<std::unique_ptr<RequestState>> prepare_check_graph(const Engine& engine, SharedGraphSnapshot snapshot,
                                                            v1::Request& message) {
    auto content = take_content(*message.mutable_check_graph(), engine);
    if (!content) return std::unexpected(std::move(content.error()));
    auto check = std::make_unique<Check>(std::move(*content));
    check->with_graph = message.check_graph().with_graph();
    check->with_diff = message.check_graph().with_diff();
    check->guard.Swap(message.mutable_check_graph()->mutable_guard());
    check->id = message.id();
    if (snapshot != nullptr) check->run(engine, std::move(snapshot));
    return check;
}

/// Nothing changes, so a worker can do all of it, in the graph that the earlier requests of the client have left.
void check_graph(Call& call) {
    auto& check = static_cast<Check&>(*call.request.state);
    if (!guard_holds(call, check.guard)) return;
    if (check.done) return take_result(call.request, check);
    struct Job {
        std::unique_ptr<RequestState> state;
        SharedGraphSnapshot snapshot;
    };
    const auto job = std::make_shared<Job>(std::move(call.request.state), call.services.snapshot());
    call.request.stage = PendingRequest::Stage::executed;
    call.services.workers.run(
        "checking the graph",
        [job, &engine = std::as_const(call.services.engine)] {
            static_cast<Check&>(*job->state).run(engine, std::move(job->snapshot));
        },
        [job, handle = call.handle()](const Expected<void>& ran) {
            handle.resume([&](Call& later) {
                if (!ran) return later.request.refuse(unchanged(ran.error()));
                take_result(later.request, static_cast<Check&>(*job->state));
            });
        },
        Workers::Lane::answers);
}

}  // namespace rta::api::requests
