// SPDX-License-Identifier: MIT
#include "engine/reset.h"

#include <cassert>
#include <utility>
#include <vector>

#include "engine/engine_core.h"

namespace rta {

EngineReset::EngineReset(EngineCore& engine) : engine_{&engine}, in_progress_{std::make_shared<const bool>(true)} {
    assert(!engine.reset_in_progress());
    std::vector<ProcessorBuild::Node> nodes;
    nodes.reserve(engine.graph.node_count());
    for (const auto& node : engine.graph.nodes()) nodes.push_back({node->id, node->description});
    engine.abandon_rebuild();
    build_ =
        ProcessorBuild::start(engine.run_on_worker, engine.builder, std::move(nodes), ProcessorBuild::OnError::stop);
    engine.reset = in_progress_;
}
EngineReset::EngineReset(EngineReset&&) noexcept = default;
EngineReset& EngineReset::operator=(EngineReset&&) noexcept = default;
EngineReset::~EngineReset() {
    if (build_ != nullptr) build_->abandon();
}

std::optional<Expected<Ticket>> EngineReset::try_complete() {
    if (!build_->done()) return std::nullopt;
    if (!build_->result()) {
        in_progress_.reset();
        return std::unexpected(build_->result().error());
    }
    if (!engine_->exchange.has_room_for_plan()) return std::nullopt;
    const Ticket ticket = engine_->replace_processors(build_->built());
    in_progress_.reset();
    return ticket;
}

}  // namespace rta
