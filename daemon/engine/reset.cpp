// SPDX-License-Identifier: MIT
#include "engine/reset.h"

#include <utility>
#include <vector>

#include "engine/engine_core.h"

namespace rta {

/// While a build is running, only the worker thread touches `fresh` and `result`.
struct EngineReset::State {
    NodeInstances fresh;
    Expected<void> result{};
    bool building = false;
};

namespace {

struct MissingNode {
    NodeId id;
    std::shared_ptr<const NodeDescription> description;
};

Expected<void> build(const NodeBuilder& builder, const std::vector<MissingNode>& missing, NodeInstances& fresh) {
    for (const MissingNode& node : missing) {
        auto instance = builder.build(node.description);
        if (!instance) return std::unexpected(std::move(instance.error()));
        fresh.insert_or_assign(node.id.value(), std::move(*instance));
    }
    return {};
}

}  // namespace

EngineReset::EngineReset(EngineCore& engine, RunOnWorker run)
    : engine_{&engine}, run_{std::move(run)}, state_{std::make_shared<State>()} {
    build_missing();
}
EngineReset::EngineReset(EngineReset&&) noexcept = default;
EngineReset& EngineReset::operator=(EngineReset&&) noexcept = default;
EngineReset::~EngineReset() = default;

bool EngineReset::build_missing() {
    std::vector<MissingNode> missing;
    for (const auto& node : engine_->graph.nodes()) {
        if (!state_->fresh.contains(node->id.value())) missing.emplace_back(node->id, node->description);
    }
    if (missing.empty()) return false;
    state_->building = true;
    run_([state = state_, &builder = std::as_const(engine_->builder),
          missing = std::move(missing)] { state->result = build(builder, missing, state->fresh); },
         [state = state_](const Expected<void>& completed) {
             if (!completed) state->result = completed;
             state->building = false;
         });
    return true;
}

std::optional<Expected<Ticket>> EngineReset::try_complete() {
    if (state_->building) return std::nullopt;
    if (!state_->result) return std::unexpected(state_->result.error());
    if (build_missing() || !engine_->exchange.has_room_for_plan()) return std::nullopt;
    return engine_->replace_processors(state_->fresh);
}

}  // namespace rta
