// SPDX-License-Identifier: MIT
#include "engine/processor_build.h"

#include <utility>

namespace rta {

std::shared_ptr<ProcessorBuild> ProcessorBuild::start(const RunOnWorker& run, const NodeBuilder& builder,
                                                      std::vector<Node> nodes, OnError on_error) {
    auto build = std::make_shared<ProcessorBuild>();
    build->nodes_ = std::move(nodes);
    run(
        [build, &builder, on_error] {
            if (on_error == OnError::stop) {
                build->result_ = build->build_all(builder);
            } else {
                build->build_each(builder);
            }
        },
        [build](const Expected<void>& completed) {
            if (!completed) build->result_ = completed;
            build->done_ = true;
        });
    return build;
}

Expected<void> ProcessorBuild::build_all(const NodeBuilder& builder) {
    NodeBuilder::Reservation reservation{builder};
    for (const Node& node : nodes_) reservation.add(*node.description);
    if (auto enough = reservation.check(); !enough) return enough;
    for (const Node& node : nodes_) {
        if (!wanted()) break;
        auto instance = builder.build(node.description);
        if (!instance) return std::unexpected(std::move(instance.error()));
        built_.emplace(node.id.value(), std::move(*instance));
    }
    return {};
}

void ProcessorBuild::build_each(const NodeBuilder& builder) {
    for (const Node& node : nodes_) {
        if (!wanted()) return;
        NodeBuilder::Reservation reservation{builder};
        reservation.add(*node.description);
        if (!reservation.check()) continue;
        if (auto instance = builder.build(node.description)) built_.emplace(node.id.value(), std::move(*instance));
    }
}

}  // namespace rta
