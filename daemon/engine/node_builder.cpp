// SPDX-License-Identifier: MIT
#include "engine/node_builder.h"

#include <string_view>
#include <utility>

#include "graph/names.h"

namespace rta {
namespace {

Error of_node(std::string_view name, Error error) {
    error.sentence = "node " + quoted(name) + ": " + error.sentence;
    return error;
}

}  // namespace

Expected<std::shared_ptr<NodeInstance>> NodeBuilder::build(std::shared_ptr<const NodeDescription> description) const {
    auto processor = description->type->create({config_.sample_rate_hz, config_.block_size, description->settings});
    if (!processor) return std::unexpected(of_node(description->name, std::move(processor.error())));
    return std::make_shared<NodeInstance>(std::move(description), std::move(*processor));
}

Expected<PreparedNode> NodeBuilder::build(const std::string& type_name, const std::string& name,
                                          const Settings& settings,
                                          const std::map<std::string, float, std::less<>>& parameters) const {
    const auto type = registry_.require(type_name);
    if (!type) return std::unexpected(of_node(name, type.error()));
    auto description = NodeDescription::make(**type, name, settings);
    if (!description) return std::unexpected(std::move(description.error()));
    auto values = (*description)->parameter_values(parameters);
    if (!values) return std::unexpected(std::move(values.error()));
    auto instance = build(std::move(*description));
    if (!instance) return std::unexpected(std::move(instance.error()));
    return PreparedNode{std::move(*instance), std::move(*values)};
}

Expected<std::vector<PreparedNode>> NodeBuilder::build_for(const Edit& edit) const {
    std::vector<PreparedNode> nodes;
    if (const auto* add = std::get_if<AddNode>(&edit)) {
        auto node = build(add->type, add->name, add->settings, add->parameters);
        if (!node) return std::unexpected(std::move(node.error()));
        nodes.push_back(std::move(*node));
    } else if (const auto* replace = std::get_if<ReplaceGraph>(&edit)) {
        for (const GraphDocument::Node& entry : replace->document.nodes) {
            auto node = build(entry.type, entry.name, entry.settings, entry.parameters);
            if (!node) return std::unexpected(at_position(std::move(node.error()), entry.position));
            nodes.push_back(std::move(*node));
        }
    }
    return nodes;
}

}  // namespace rta
