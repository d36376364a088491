// SPDX-License-Identifier: MIT
#include "engine/node_builder.h"

#include <cassert>
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

/// Memory that a build must leave to the rest of the system.
constexpr std::uint64_t kReserveBytes = std::uint64_t{32} << 20U;

std::string megabytes(std::uint64_t bytes) { return std::to_string(bytes >> 20U) + " MiB"; }

Error too_little_memory(std::string needed, std::uint64_t left) {
    return {ErrorCode::resource_exhausted,
            std::move(needed) + megabytes(left) + " are left, and " + megabytes(kReserveBytes) +
                " stay reserved for the system",
            {}};
}

}  // namespace

NodeBuilder::Reservation::~Reservation() { builder_.reserved_bytes_.fetch_sub(bytes_, std::memory_order_relaxed); }

void NodeBuilder::Reservation::add(const NodeDescription& description, std::optional<std::size_t> edit_index,
                                   const DocumentPosition& position) {
    if (builder_.config_.memory_left_bytes == nullptr || description.type->memory_bytes == nullptr) return;
    const std::uint64_t bytes = description.type->memory_bytes(builder_.context_of(description));
    items_.push_back({description.name, bytes, edit_index, position});
    builder_.reserved_bytes_.fetch_add(bytes, std::memory_order_relaxed);
    bytes_ += bytes;
}

Expected<void> NodeBuilder::Reservation::check() const {
    if (items_.empty()) return {};
    // The order matters: memory that another reservation releases in between is counted twice rather than missed.
    const std::uint64_t others = builder_.reserved_bytes_.load(std::memory_order_relaxed) - bytes_;
    const std::uint64_t left = builder_.config_.memory_left_bytes();
    std::uint64_t sum = 0;
    for (const Item& item : items_) {
        sum += item.bytes;
        if (left >= sum + others + kReserveBytes) continue;
        std::string needs = "needs " + megabytes(item.bytes) + " of memory";
        if (sum != item.bytes) needs += " (" + megabytes(sum) + " with the nodes before it)";
        if (others != 0) needs += ", and nodes that are being built " + megabytes(others);
        Error error = at_position(at_node(item.node, too_little_memory(needs + ", but ", left)), item.position);
        if (item.edit_index) return std::unexpected(at_edit(std::move(error), *item.edit_index));
        return std::unexpected(std::move(error));
    }
    return {};
}

/// Running out of memory would let the kernel's OOM killer pick a victim. Nodes that need much memory have a
/// reservation. The query takes longer than building a small node, so for the others it runs only once in
/// kCheckInterval.
Expected<void> NodeBuilder::check_memory() const {
    constexpr std::uint32_t kCheckInterval = 16;
    const bool due = built_.fetch_add(1, std::memory_order_relaxed) % kCheckInterval == 0;
    if (config_.memory_left_bytes == nullptr || !due) return {};
    const std::uint64_t left = config_.memory_left_bytes();
    if (left >= kReserveBytes) return {};
    return std::unexpected(too_little_memory("not enough memory: ", left));
}

Expected<void> NodeBuilder::check_graph_memory(const NodeDescription& node, std::uint64_t bytes) const {
    const std::uint64_t limit = config_.limits.memory_bytes;
    if (limit == 0 || bytes <= limit || bytes <= graph_bytes_.load(std::memory_order_relaxed)) return {};
    const auto at_least = [](std::uint64_t needed) { return megabytes(needed + (1U << 20U) - 1); };
    std::string sentence = "needs " + at_least(node.memory_bytes) + " of memory";
    if (bytes != node.memory_bytes) sentence += " (" + at_least(bytes) + " with the nodes before it)";
    return std::unexpected(
        at_node(node.name, {ErrorCode::resource_exhausted,
                            sentence + "; the limit of a graph is " + megabytes(limit) + " (--max-graph-memory)",
                            {}}));
}

Expected<std::shared_ptr<NodeInstance>> NodeBuilder::build(std::shared_ptr<const NodeDescription> description) const {
    if (auto enough = check_memory(); !enough)
        return std::unexpected(at_node(description->name, std::move(enough.error())));
    auto processor = description->type->create(context_of(*description));
    if (!processor) return std::unexpected(at_node(description->name, std::move(processor.error())));
    return std::make_shared<NodeInstance>(std::move(description), std::move(*processor));
}

Expected<PreparedNode> NodeBuilder::describe_node(auto& node, std::uint64_t random) const {
    const auto type = registry_.require(node.type);
    if (!type) return std::unexpected(at_node(node.name, type.error()));
    std::vector<std::string_view> drawn = draw_settings((*type)->settings, random, node.settings);
    auto description = NodeDescription::make(**type, node.name, node.settings, config_.sample_rate_hz, node.annotation,
                                             config_.block_size);
    if (!description) return std::unexpected(std::move(description.error()));
    auto values = (*description)->parameter_values(node.parameters);
    if (!values) return std::unexpected(std::move(values.error()));
    return PreparedNode{
        .description = std::move(*description), .parameters = std::move(*values), .drawn = std::move(drawn)};
}

Expected<std::vector<PreparedNode>> NodeBuilder::describe(Edit& edit) const {
    std::vector<PreparedNode> nodes;
    if (auto* add = std::get_if<AddNode>(&edit)) {
        auto node = describe_node(*add, config_.random != nullptr ? config_.random() : random_from_name(add->name));
        if (!node) return std::unexpected(std::move(node.error()));
        nodes.push_back(std::move(*node));
    } else if (auto* replace = std::get_if<ReplaceGraph>(&edit)) {
        nodes.reserve(replace->document.nodes.size());
        for (GraphDocument::Node& entry : replace->document.nodes) {
            assert(entry.written_parameters.empty() && "load_document() converts them");
            auto node = describe_node(entry, random_from_name(entry.name));
            if (!node) return std::unexpected(at_position(std::move(node.error()), entry.position));
            node->position = entry.position;
            nodes.push_back(std::move(*node));
        }
    }
    return nodes;
}

}  // namespace rta
