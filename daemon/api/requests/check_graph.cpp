// SPDX-License-Identifier: MIT
#include <memory>
#include <optional>
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
    Expected<EncodedAnswer> answer{};

    // The graph that results, between apply() and encode().
    SharedGraphSnapshot snapshot;
    std::unique_ptr<RequestState> transaction;
    std::optional<AudioGraph> result;  ///< shares nodes with the snapshot

    /// Applies the transaction to the snapshot. Returns whether encode() must follow. [any]
    bool apply(const Engine& engine, SharedGraphSnapshot given) {
        snapshot = std::move(given);
        const bool whole_graph = content.whole_graph;
        auto state = prepare_transaction(engine, snapshot, std::move(content));
        if (!state) return refuse(std::move(state.error()), whole_graph);
        transaction = std::move(*state);
        auto applied = Engine::result(static_cast<const TransactionState&>(*transaction).prepared);
        if (!applied) return refuse(std::move(applied.error()), whole_graph);
        result = std::move(*applied);
        return true;
    }

    /// Encodes the answer, and frees the graph. [any]
    void encode(std::optional<double> load) {
        answer = EncodedAnswer::of(id, [&](v1::Response& response) {
            v1::CheckResult& message = *response.mutable_check_graph();
            message.set_node_count(static_cast<std::uint32_t>(result->node_count()));
            message.set_connection_count(static_cast<std::uint32_t>(result->connection_count()));
            add_warnings(static_cast<const TransactionState&>(*transaction), message);
            if (with_graph) to_wire(result->document(), *message.mutable_graph());
            if (with_diff) add_difference(snapshot->graph, *result, message);
            message.set_revision(snapshot->revision);
            message.set_change_number(snapshot->change_number.value_or(0));
            add_prediction(load, message);
        });
        release();
    }

 private:
    bool refuse(Error error, bool whole_graph) {
        answer = std::unexpected(without_index(std::move(error), whole_graph));
        release();
        return false;
    }

    void release() {
        result.reset();
        transaction.reset();
        snapshot.reset();
    }
};

void take_result(PendingRequest& request, Check& check) {
    if (!check.answer) return request.refuse(check.answer.error());
    request.answer(std::move(*check.answer));
}

/// A check on its way through the workers.
struct CheckJob {
    std::unique_ptr<RequestState> state;
    SharedGraphSnapshot snapshot;
    LoadQuery load;
    Unmeasured unmeasured{};  ///< what must be measured before the answer

    [[nodiscard]] Check& check() const { return static_cast<Check&>(*state); }

    /// Does all of it, unless nodes must be measured first. [any]
    void run(const Engine& engine) {
        if (!check().result && !check().apply(engine, std::move(snapshot))) return;
        const auto predicted = load.predict(*check().result, unmeasured);
        if (unmeasured.empty()) check().encode(predicted);
    }

    /// [any]
    void measure_and_encode() {
        load.costs->measure(unmeasured);
        Unmeasured left;
        check().encode(load.predict(*check().result, left));
    }
};

void take_result(const std::shared_ptr<CheckJob>& job, const CallHandle& handle, const Expected<void>& ran) {
    handle.resume([&](Call& later) {
        if (!ran) return later.request.refuse(unchanged(ran.error()));
        take_result(later.request, job->check());
    });
}

/// Measuring takes longer than other answers may wait.
void measure_first(Call& call, const std::shared_ptr<CheckJob>& job) {
    call.services.workers.run(
        "measuring the cost of nodes", [job] { job->measure_and_encode(); },
        [job, handle = call.handle()](const Expected<void>& ran) { take_result(job, handle, ran); },
        Workers::Lane::responses);
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
    if (snapshot != nullptr) check->apply(engine, std::move(snapshot));
    return check;
}

/// Nothing changes, so a worker can do all of it, in the graph that the earlier requests of the client have left.
void check_graph(Call& call) {
    auto& check = static_cast<Check&>(*call.request.state);
    if (!guard_holds(call, check.guard)) return;
    if (!check.answer) return take_result(call.request, check);
    const auto job = std::make_shared<CheckJob>(
        CheckJob{.state = std::move(call.request.state), .snapshot = nullptr, .load = call.services.load.query()});
    if (!check.result) job->snapshot = call.services.snapshot();
    call.request.stage = PendingRequest::Stage::executed;
    call.services.workers.run(
        "checking the graph", [job, &engine = std::as_const(call.services.engine)] { job->run(engine); },
        [job, handle = call.handle()](const Expected<void>& ran) {
            if (!ran || job->unmeasured.empty()) return take_result(job, handle, ran);
            handle.use([&](Call& later) { measure_first(later, job); });
        },
        Workers::Lane::answers);
}

}  // namespace rta::api::requests
