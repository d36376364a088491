// SPDX-License-Identifier: MIT
#include "engine/reset.h"

#include <utility>
#include <vector>

#include "engine/engine_core.h"

namespace rta {

/// Until `done` is true, only the worker thread accesses the other members.
struct EngineReset::Build {
    struct Node {
        NodeId id;
        std::shared_ptr<const NodeDescription> description;
    };

    [[nodiscard]] Expected<void> run(const NodeBuilder& builder) {
        NodeBuilder::Reservation reservation{builder};
        for (const Node& node : nodes) {
            if (auto enough = reservation.add(*node.description); !enough) return enough;
        }
        for (const Node& node : nodes) {
            auto instance = builder.build(node.description);
            if (!instance) return std::unexpected(std::move(instance.error()));
            fresh.emplace(node.id.value(), std::move(*instance));
        }
        return {};
    }

    std::vector<Node> nodes;
    NodeInstances fresh;
    Expected<void> result{};
    bool done = false;
};

void EngineReset::End::operator()(EngineCore* engine) const {
    if (--engine->resets_in_progress == 0 && std::exchange(engine->held_back, false)) engine->follow_up_due = true;
}

EngineReset::EngineReset(EngineCore& engine) : engine_{&engine}, build_{std::make_shared<Build>()} {
    ++engine.resets_in_progress;
    build_->nodes.reserve(engine.graph.node_count());
    for (const auto& node : engine.graph.nodes()) build_->nodes.push_back({node->id, node->description});
    engine.run_on_worker(
        [build = build_, &builder = std::as_const(engine.builder)] { build->result = build->run(builder); },
        [build = build_](const Expected<void>& completed) {
            if (!completed) build->result = completed;
            build->done = true;
        });
}
EngineReset::EngineReset(EngineReset&&) noexcept = default;
EngineReset& EngineReset::operator=(EngineReset&&) noexcept = default;
EngineReset::~EngineReset() = default;

std::optional<Expected<Ticket>> EngineReset::try_complete() {
    if (!build_->done) return std::nullopt;
    if (!build_->result) {
        engine_.reset();
        return std::unexpected(build_->result.error());
    }
    if (!engine_->exchange.has_room_for_plan()) return std::nullopt;
    EngineCore& engine = *engine_;
    engine_.reset();
    return engine.replace_processors(build_->fresh);
}

}  // namespace rta
