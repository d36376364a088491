// SPDX-License-Identifier: MIT
#include "api/load/load_prediction.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "api/exception_barrier.h"
#include "text/format_number.h"

namespace rta::api {
namespace {

/// Load without nodes, until it has been measured.
constexpr double kAssumedBlockS = 3e-6;
/// Time from the change of the graph to the measurement of its new nodes: not during the crossfade, and later than what
/// clients wait for.
constexpr std::chrono::milliseconds kMeasurementDelay{250};
/// Time between two measurements.
constexpr std::chrono::milliseconds kMeasurementInterval{20};
/// The measured load is that of the last second; before it, the graph must not have changed, and its crossfade must have
/// ended.
constexpr std::chrono::milliseconds kSettled{1'500};
constexpr std::chrono::seconds kLearnInterval{1};
constexpr std::uint64_t kFewestCallbacks = 20;
/// More classes without nodes than this are forgotten.
constexpr std::size_t kKeptClasses = 1024;

/// Calls `visit(node, sign)` for each node that differs: with -1 for those of `before`, with 1 for those of `after`. Compares
/// one pointer for each of the others.
template <class Visit>
void visit_differences(const AudioGraph& before, const AudioGraph& after, Visit visit) {
    const auto old_nodes = before.nodes();
    const auto new_nodes = after.nodes();
    std::size_t i = 0;
    std::size_t k = 0;
    while (i < old_nodes.size() || k < new_nodes.size()) {
        if (i < old_nodes.size() && k < new_nodes.size() && old_nodes[i] == new_nodes[k]) {
            ++i;
            ++k;
            continue;
        }
        const bool is_old =
            k == new_nodes.size() || (i < old_nodes.size() && before.node_ids()[i] <= after.node_ids()[k]);
        const bool is_new =
            i == old_nodes.size() || (k < new_nodes.size() && after.node_ids()[k] <= before.node_ids()[i]);
        if (is_old) visit(*old_nodes[i], std::int64_t{-1});
        if (is_new) visit(*new_nodes[k], std::int64_t{1});
        i += is_old ? 1 : 0;
        k += is_new ? 1 : 0;
    }
}

}  // namespace

std::string percent(double share) {
    return format_number(static_cast<float>(std::round(1'000.0 * share) / 10.0)) + " %";
}

std::optional<double> LoadQuery::predict(const GraphCost& cost) const {
    if (!cost.known()) return std::nullopt;
    return model.predict(cost.seconds(costs->mixes()) / block_s);
}

std::optional<double> LoadQuery::predict(const AudioGraph& graph, Unmeasured& unmeasured) const {
    return predict(costs->of(graph, unmeasured));
}

LoadPrediction::LoadPrediction(Engine& engine, DaemonAccess& daemon, Workers& workers, std::function<TimePoint()> clock,
                               std::function<void()> wake)
    : engine_{engine},
      daemon_{daemon},
      workers_{workers},
      clock_{std::move(clock)},
      wake_{std::move(wake)},
      block_s_{engine.config().block_size / engine.config().sample_rate_hz},
      model_{kAssumedBlockS / block_s_},
      changed_{clock_()} {
    engine_.watch_graph([this](const AudioGraph& before, const AudioGraph& after) { replaced(before, after); });
    replaced(AudioGraph{}, engine_.graph());
}

LoadPrediction::~LoadPrediction() { *alive_ = false; }

void LoadPrediction::release_engine() { engine_.watch_graph({}); }

void LoadPrediction::replaced(const AudioGraph& before, const AudioGraph& after) {
    learn();
    changed_ = clock_();
    // The graph has been replaced already: a lack of memory must not become an error of its transaction.
    const auto counted = guarded("predicting the load", [&] {
        if (classes_.size() > kKeptClasses)
            std::erase_if(classes_, [](const auto& entry) { return entry.second.nodes == 0; });
        if (!std::exchange(counted_, false)) {
            classes_.clear();
            cost_ = {};
            visit_differences(AudioGraph{}, after,
                              [&](const GraphNode& node, std::int64_t sign) { count(node, sign); });
        } else {
            visit_differences(before, after, [&](const GraphNode& node, std::int64_t sign) { count(node, sign); });
        }
        counted_ = true;
    });
    static_cast<void>(counted);
}

void LoadPrediction::count(const GraphNode& node, std::int64_t sign) {
    if (!add_mixes(node, sign, cost_)) return;
    const auto [entry, added] = classes_.try_emplace(node.description->cost_class);
    Class& members = entry->second;
    if (added) {
        members.sample = node.description;
        const auto known = costs_->find(entry->first);
        if (known) members.ps = known->ps;
    }
    if (added && !members.ps && unmeasured_.size() < NodeCosts::kMaximumClasses) {
        if (unmeasured_.empty()) next_measurement_ = clock_() + kMeasurementDelay;
        unmeasured_.push_back(members.sample);
    }
    members.nodes += sign;
    if (members.ps) {
        cost_.nodes_ps += sign * *members.ps;
    } else {
        cost_.unknown_nodes += sign;
    }
}

/// Returns the cost of a graph that is about to replace the current one.
GraphCost LoadPrediction::cost_after(const AudioGraph& before, const AudioGraph& after, Unmeasured& unmeasured) const {
    GraphCost cost = cost_;
    std::unordered_map<std::uint64_t, std::optional<std::int64_t>> others;
    visit_differences(before, after, [&](const GraphNode& node, std::int64_t sign) {
        if (!add_mixes(node, sign, cost)) return;
        const std::uint64_t cost_class = node.description->cost_class;
        std::optional<std::int64_t> ps;
        if (const auto member = classes_.find(cost_class); member != classes_.end()) {
            ps = member->second.ps;
        } else {
            const auto [entry, added] = others.try_emplace(cost_class);
            const auto known = added ? costs_->find(cost_class) : std::nullopt;
            if (known) entry->second = known->ps;
            if (added && !known && unmeasured.size() < NodeCosts::kMostUnmeasured)
                unmeasured.push_back(node.description);
            ps = entry->second;
        }
        if (ps) {
            cost.nodes_ps += sign * *ps;
        } else {
            cost.unknown_nodes += sign;
        }
    });
    if (cost.known()) return cost;
    for (const auto& node : unmeasured_) {
        const auto member = classes_.find(node->cost_class);
        const bool missing = member != classes_.end() && member->second.nodes > 0 && !member->second.ps;
        if (missing && unmeasured.size() < NodeCosts::kMostUnmeasured) unmeasured.push_back(node);
    }
    return cost;
}

std::optional<double> LoadPrediction::current() {
    if (!counted_) return std::nullopt;
    return LoadQuery{.costs = costs_, .model = model_, .block_s = block_s_}.predict(cost_);
}

Admission LoadPrediction::admission(Limit& limit) {
    return [this, &limit](const AudioGraph& before, const AudioGraph& after) -> Expected<void> {
        learn();
        limit.unmeasured.clear();
        const LoadQuery now{.costs = costs_, .model = model_, .block_s = block_s_};
        const auto load =
            counted_ ? now.predict(cost_after(before, after, limit.unmeasured)) : now.predict(after, limit.unmeasured);
        if (load && *load <= limit.maximum) return {};
        if (load) {
            limit.refusal = Error{ErrorCode::resource_exhausted,
                                  "the predicted load of the new graph is " + percent(*load) +
                                      " of the time of a block, more than the " + percent(limit.maximum) +
                                      " of max_load; nothing has changed; expected a graph with less load, or a larger "
                                      "max_load",
                                  {}};
        } else {
            limit.refusal = Error{
                ErrorCode::resource_exhausted,
                "the load of the new graph cannot be predicted, because the cost of " +
                    (limit.unmeasured.empty()
                         ? std::string{"a node could not be measured"}
                         : "nodes of type " + std::string{limit.unmeasured.front()->type->name} + " is not known yet") +
                    "; nothing has changed; try again, or without max_load",
                {}};
        }
        return std::unexpected(*limit.refusal);
    };
}

void LoadPrediction::measure(Unmeasured nodes, std::function<void()> done) {
    const auto shared = std::make_shared<const Unmeasured>(std::move(nodes));
    workers_.run(
        "measuring the cost of nodes", [shared, costs = costs_] { costs->measure(*shared); },
        [this, shared, done = std::move(done), alive = alive_](const Expected<void>&) {
            if (!*alive) return;
            for (const auto& node : *shared) measured(node->cost_class);
            done();
        },
        Workers::Lane::responses);
}

void LoadPrediction::measure_soon(const Unmeasured& nodes) {
    for (const auto& node : nodes) {
        const auto same = [&](const auto& waiting) { return waiting->cost_class == node->cost_class; };
        if (std::ranges::none_of(unmeasured_, same)) unmeasured_.push_front(node);
    }
    next_measurement_ = clock_();
    wake_();
}

/// Takes the cost of a class that a worker has measured.
void LoadPrediction::measured(std::uint64_t cost_class) {
    const auto member = classes_.find(cost_class);
    const auto known = costs_->find(cost_class);
    if (member == classes_.end() || member->second.ps || !known || !known->ps) return;
    member->second.ps = known->ps;
    cost_.nodes_ps += member->second.nodes * *known->ps;
    cost_.unknown_nodes -= member->second.nodes;
}

void LoadPrediction::poll(TimePoint now) {
    if (measuring_ || unmeasured_.empty() || now < next_measurement_) return;
    const std::shared_ptr<const NodeDescription> node = std::move(unmeasured_.front());
    unmeasured_.pop_front();
    measured(node->cost_class);
    if (costs_->find(node->cost_class)) return;
    measuring_ = true;
    const auto started = guarded("measuring the cost of nodes", [&] {
        measure({node}, [this] {
            measuring_ = false;
            next_measurement_ = clock_() + kMeasurementInterval;
            wake_();
        });
    });
    if (!started) measuring_ = false;
}

std::optional<std::chrono::microseconds> LoadPrediction::interval(TimePoint now) const {
    if (measuring_ || unmeasured_.empty()) return std::nullopt;
    const auto left = std::chrono::ceil<std::chrono::microseconds>(next_measurement_ - now);
    return std::max(left, std::chrono::microseconds{1'000});
}

LoadQuery LoadPrediction::query() {
    learn();
    return {.costs = costs_, .model = model_, .block_s = block_s_};
}

/// The load of the last second belongs to the current graph if that has not changed for longer.
void LoadPrediction::learn() {
    const TimePoint now = clock_();
    if (!counted_ || !cost_.known() || now - changed_ < kSettled || now - learned_ < kLearnInterval) return;
    const LoadStatus load = daemon_.load_status();
    if (load.callback_count < kFewestCallbacks) return;
    learned_ = now;
    static_cast<void>(
        guarded("learning the load", [&] { model_.observe(cost_.seconds(costs_->mixes()) / block_s_, load.mean); }));
}

}  // namespace rta::api
