// SPDX-License-Identifier: MIT
#include "engine/node_builder.h"

#include <string>
#include <string_view>
#include <utility>

#include "text/quoting.h"

namespace rta {
namespace {

Error at_node(std::string_view name, Error error) {
    error.sentence = "node " + quoted(name) + ": " + error.sentence;
    return error;
}

std::string megabytes(std::uint64_t bytes) { return std::to_string(bytes >> 20U) + " MiB"; }

}  // namespace

/// Running out of memory would let the kernel's OOM killer pick a victim. The query takes longer than building a small
/// node, so for nodes without an estimate it runs only once in kCheckInterval.
Expected<void> NodeBuilder::check_memory(const NodeType& type, const BuildContext& context) const {
    constexpr std::uint32_t kCheckInterval = 16;
    constexpr std::uint64_t kReserveBytes = std::uint64_t{32} << 20U;
    const bool due = built_.fetch_add(1, std::memory_order_relaxed) % kCheckInterval == 0;
    if (config_.memory_left_bytes == nullptr || (type.memory_bytes == nullptr && !due)) return {};
    const std::uint64_t wanted = type.memory_bytes == nullptr ? 0 : type.memory_bytes(context);
    const std::uint64_t left = config_.memory_left_bytes();
    if (left >= wanted + kReserveBytes) return {};
    const std::string needed = wanted == 0 ? "not enough memory: " : "needs " + megabytes(wanted) + " of memory, but ";
    return fail(ErrorCode::resource_exhausted,
                needed + megabytes(left) + " are available, of which " + megabytes(kReserveBytes) + " are reserved");
}

Expected<std::shared_ptr<NodeInstance>> NodeBuilder::build(std::shared_ptr<const NodeDescription> description) const {
    const BuildContext context{config_.sample_rate_hz, config_.block_size, description->settings};
    if (auto enough = check_memory(*description->type, context); !enough)
        return std::unexpected(at_node(description->name, std::move(enough.error())));
    auto processor = description->type->create(context);
    if (!processor) return std::unexpected(at_node(description->name, std::move(processor.error())));
    return std::make_shared<NodeInstance>(std::move(description), std::move(*processor));
}

Expected<PreparedNode> NodeBuilder::build(const std::string& type_name, const std::string& name,
                                          const Settings& settings,
                                          const std::map<std::string, float, std::less<>>& parameters) const {
    const auto type = registry_.require(type_name);
    if (!type) return std::unexpected(at_node(name, type.error()));
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
