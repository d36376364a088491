// SPDX-License-Identifier: MIT
#include "engine/reset.h"

#include <utility>
#include <vector>

#include "engine/engine_core.h"

namespace rta {

/// While `building` is true, only the worker thread accesses the other members.
struct EngineReset::State {
    struct MissingNode {
        NodeId id;
        std::shared_ptr<const NodeDescription> description;
    };

    /// Lists the nodes without a fresh processor. Returns whether there are any.
    bool find_missing(const AudioGraph& graph) {
        missing.clear();
        for (const auto& node : graph.nodes()) {
            if (!fresh.contains(node->id.value())) missing.push_back({node->id, node->description});
        }
        return !missing.empty();
    }

    [[nodiscard]] Expected<void> build_missing(const NodeBuilder& builder) {
        for (const MissingNode& node : missing) {
            auto instance = builder.build(node.description);
            if (!instance) return std::unexpected(std::move(instance.error()));
            fresh.insert_or_assign(node.id.value(), std::move(*instance));
        }
        return {};
    }

    std::vector<MissingNode> missing;
    NodeInstances fresh;
    Expected<void> result{};
    bool building = false;
};

EngineReset::EngineReset(EngineCore& engine, RunOnWorker run)
    : engine_{&engine}, run_{std::move(run)}, state_{std::make_shared<State>()} {
    state_->find_missing(engine_->graph);
    start_build();
}
EngineReset::EngineReset(EngineReset&&) noexcept = default;
EngineReset& EngineReset::operator=(EngineReset&&) noexcept = default;
EngineReset::~EngineReset() = default;

void EngineReset::start_build() {
    state_->building = true;
    run_(
        [state = state_, &builder = std::as_const(engine_->builder)] { state->result = state->build_missing(builder); },
        [state = state_](const Expected<void>& completed) {
            if (!completed) state->result = completed;
            state->building = false;
        });
}

std::optional<Expected<Ticket>> EngineReset::try_complete() {
    if (state_->building) return std::nullopt;
    if (!state_->result) return std::unexpected(state_->result.error());
    if (state_->find_missing(engine_->graph)) {
        start_build();
        return std::nullopt;
    }
    if (!engine_->exchange.has_room_for_plan()) return std::nullopt;
    return engine_->replace_processors(state_->fresh);
}

}  // namespace rta
