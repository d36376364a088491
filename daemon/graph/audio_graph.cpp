// SPDX-License-Identifier: MIT
#include "graph/audio_graph.h"

#include <algorithm>
#include <cassert>
#include <ranges>
#include <tuple>
#include <utility>

#include "graph/cost_class.h"
#include "graph/port_text.h"
#include "text/format_number.h"
#include "text/quoting.h"
#include "text/sort_range.h"
#include "text/suggestion.h"

namespace rta {
namespace {

std::string channel_count(std::uint32_t width) {
    return std::to_string(width) + (width == 1 ? " channel" : " channels");
}

auto place_of(const IncomingConnection& connection) { return std::tie(connection.to_port, connection.from); }

/// Returns the position of the connection in `incoming`, or the position at which to insert it.
template <class Incoming>
auto incoming_position(Incoming& incoming, std::uint32_t to_port, PortRef from) {
    return std::ranges::lower_bound(incoming, std::tie(to_port, from), std::less<>{}, place_of);
}

template <class Incoming, class Position>
bool is_at(const Incoming& incoming, Position position, std::uint32_t to_port, PortRef from) {
    return position != incoming.end() && place_of(*position) == std::tie(to_port, from);
}

/// -0 equals 0, and would be written as "-0".
constexpr float positive_zero(float value) { return value == 0.0F ? 0.0F : value; }

Expected<std::uint32_t> require_parameter(const NodeDescription& node, std::string_view parameter) {
    if (const auto index = node.layout.find_parameter(parameter)) return *index;
    return fail(ErrorCode::not_found, "node " + quoted(node.name) + " (" + std::string{node.type->name} + "): " +
                                          unknown_name("parameter", parameter, names_of(node.layout.parameters)));
}

std::string port_name(const GraphNode& node, std::span<const NodeLayout::Port> ports, std::uint32_t port) {
    return ports.size() == 1 ? node.name() : node.name() + ":" + ports[port].name;
}

}  // namespace

std::vector<NodeId> GraphNode::targets() const {
    std::vector<NodeId> targets = outgoing;
    sort_range(targets);
    targets.erase(std::ranges::unique(targets).begin(), targets.end());
    return targets;
}

Expected<std::shared_ptr<const NodeDescription>> NodeDescription::make(const NodeType& type, std::string name,
                                                                       Settings given, double sample_rate_hz,
                                                                       Annotation annotation,
                                                                       std::uint32_t block_size) {
    if (auto fits = check_annotation(annotation, "node " + quoted(name)); !fits)
        return std::unexpected(std::move(fits.error()));
    auto settings = ResolvedSettings::resolve(type.settings, given, "node " + quoted(name));
    if (!settings) return std::unexpected(std::move(settings.error()));
    NodeLayout layout = NodeLayout::of(type, *settings, sample_rate_hz);
    const std::size_t bytes = node_bytes(type.name, annotation, given) + layout.document_bytes();
    const std::uint64_t memory = estimated_memory_bytes(type, {sample_rate_hz, block_size, *settings}, layout);
    const std::uint64_t costs = rta::cost_class(type, *settings);
    return std::make_shared<NodeDescription>(
        NodeDescription{std::move(name), &type, std::move(*settings), std::move(given), std::move(layout), bytes,
                        std::move(annotation), sample_rate_hz, block_size, memory, costs});
}

Expected<std::vector<float>> NodeDescription::parameter_values(
    const std::map<std::string, float, std::less<>>& given) const {
    std::vector<float> values;
    values.reserve(layout.parameters.size());
    for (const ParameterSpec& spec : layout.parameters) values.push_back(spec.default_value);
    for (const auto& [parameter, value] : given) {
        const auto index = require_parameter(*this, parameter);
        if (!index) return std::unexpected(index.error());
        if (auto good = rta::check_parameter(layout.parameters[*index], value, name); !good) {
            return std::unexpected(std::move(good.error()));
        }
        values[*index] = positive_zero(value);
    }
    if (auto good = check_together(values); !good) return std::unexpected(std::move(good.error()));
    return values;
}

Expected<void> NodeDescription::check_together(std::span<const float> values) const {
    if (type->check == nullptr) return {};
    auto good = type->check(values);
    if (!good) good.error().sentence = "node " + quoted(name) + ": " + good.error().sentence;
    return good;
}

Expected<void> AudioGraph::check_new_name(std::string_view name) const {
    if (!is_node_name(name)) {
        return fail(ErrorCode::invalid_argument,
                    "invalid node name " + quoted(name) + ": expected a letter, then up to 63 letters, digits, - or _");
    }
    if (find(name) != nullptr) return fail(ErrorCode::already_exists, "node " + quoted(name) + " already exists");
    return {};
}

Expected<void> AudioGraph::add_node(NodeId id, std::shared_ptr<const NodeDescription> description,
                                    std::vector<float> parameters, std::optional<NodeIdentity> identity) {
    assert(parameters.size() == description->layout.parameters.size());
    assert(node_ids_.empty() || node_ids_.back() < id);
    if (auto good = check_new_name(description->name); !good) return good;
    document_bytes_ += description->document_bytes + description->name.size();
    memory_bytes_ += description->memory_bytes;
    push_back(std::make_shared<GraphNode>(GraphNode{
        id, std::move(description), std::move(parameters), {}, {}, identity.value_or(NodeIdentity{id.value()})}));
    return {};
}

Expected<void> AudioGraph::remove_node(std::string_view name) {
    const auto node = require(name);
    if (!node) return std::unexpected(node.error());
    const GraphNode removed = **node;
    for (const IncomingConnection& connection : removed.incoming) {
        document_bytes_ -= bytes_of(removed.id, connection);
        auto& outgoing = writable(connection.from.node).outgoing;
        outgoing.erase(std::ranges::find(outgoing, removed.id));
    }
    const auto is_from_it = [&](const IncomingConnection& connection) { return connection.from.node == removed.id; };
    for (const NodeId target : removed.targets()) {
        auto& incoming = writable(target).incoming;
        if (target != removed.id) {
            for (const IncomingConnection& connection : incoming | std::views::filter(is_from_it))
                document_bytes_ -= bytes_of(target, connection);
        }
        std::erase_if(incoming, is_from_it);
    }
    // A node connected to itself is allowed until the end of the transaction; that connection is in both lists.
    const auto to_itself = static_cast<std::size_t>(std::ranges::count(removed.outgoing, removed.id));
    connection_count_ -= removed.incoming.size() + removed.outgoing.size() - to_itself;
    document_bytes_ -= removed.description->document_bytes + removed.name().size();
    memory_bytes_ -= removed.description->memory_bytes;
    erase(index_of(removed.id));
    return {};
}

Expected<void> AudioGraph::rename_node(std::string_view name, std::shared_ptr<const NodeDescription> description) {
    const auto node = require(name);
    if (!node) return std::unexpected(node.error());
    const NodeId id = (*node)->id;
    if (description->name != name) {
        if (auto good = check_new_name(description->name); !good) return good;
    }
    ids_.remove((*node)->name(), id.value());
    ids_.add(description->name, id.value());
    GraphNode& renamed = writable(id);
    document_bytes_ -= renamed.description->document_bytes + renamed.bytes_of_name();
    memory_bytes_ -= renamed.description->memory_bytes;
    renamed.description = std::move(description);
    document_bytes_ += renamed.description->document_bytes + renamed.bytes_of_name();
    memory_bytes_ += renamed.description->memory_bytes;
    return {};
}

Expected<ConnectionKey> AudioGraph::connect(std::string_view from_text, std::string_view to_text,
                                            std::optional<float> gain_db) {
    const auto from = resolve_output(from_text);
    if (!from) return std::unexpected(from.error());
    const auto to = resolve_input(to_text);
    if (!to) return std::unexpected(to.error());
    if (gain_db && !(*gain_db >= kMinimumConnectionGainDb && *gain_db <= kMaximumConnectionGainDb)) {
        return fail(ErrorCode::invalid_argument, "connection " + output_name(*from) + " -> " + input_name(*to) +
                                                     ": gain_db = " + format_number(*gain_db) +
                                                     " is out of range: -120 to 24 dB");
    }
    if (auto fits = check_widths(*from, *to); !fits) return std::unexpected(std::move(fits.error()));

    const ConnectionKey key{*to, *from};
    const float gain = positive_zero(gain_db.value_or(0.0F));
    if (set_gain(key, gain)) return key;
    GraphNode& destination = writable(to->node);
    const auto position = incoming_position(destination.incoming, to->port, *from);
    const IncomingConnection connection{to->port, *from, gain};
    document_bytes_ += bytes_of(to->node, connection);
    destination.incoming.insert(position, connection);
    writable(from->node).outgoing.push_back(to->node);
    ++connection_count_;
    return key;
}

const IncomingConnection* AudioGraph::find(const ConnectionKey& connection) const {
    const GraphNode* const destination = find(connection.to.node);
    if (destination == nullptr) return nullptr;
    const auto& incoming = destination->incoming;
    const auto position = incoming_position(incoming, connection.to.port, connection.from);
    return is_at(incoming, position, connection.to.port, connection.from) ? &*position : nullptr;
}

bool AudioGraph::set_gain(const ConnectionKey& connection, float gain_db) {
    const IncomingConnection* const found = find(connection);
    if (found == nullptr) return false;
    if (found->gain_db == gain_db) return true;
    auto& incoming = writable(connection.to.node).incoming;
    IncomingConnection& changed = *incoming_position(incoming, connection.to.port, connection.from);
    document_bytes_ -= bytes_of(connection.to.node, changed);
    changed.gain_db = gain_db;
    document_bytes_ += bytes_of(connection.to.node, changed);
    return true;
}

Expected<void> AudioGraph::disconnect(std::string_view from_text, std::string_view to_text) {
    const auto from = resolve_output(from_text);
    if (!from) return std::unexpected(from.error());
    const auto to = resolve_input(to_text);
    if (!to) return std::unexpected(to.error());
    const auto& incoming = find(to->node)->incoming;
    if (!is_at(incoming, incoming_position(incoming, to->port, *from), to->port, *from)) {
        return fail(ErrorCode::not_found, "no connection " + output_name(*from) + " -> " + input_name(*to));
    }
    GraphNode& destination = writable(to->node);
    const auto position = incoming_position(destination.incoming, to->port, *from);
    document_bytes_ -= bytes_of(to->node, *position);
    destination.incoming.erase(position);
    auto& outgoing = writable(from->node).outgoing;
    outgoing.erase(std::ranges::find(outgoing, to->node));
    --connection_count_;
    return {};
}

Expected<AudioGraph::ParameterPlace> AudioGraph::find_parameter(std::string_view name,
                                                                std::string_view parameter) const {
    const auto node = require(name);
    if (!node) return std::unexpected(node.error());
    const auto index = require_parameter(*(*node)->description, parameter);
    if (!index) return std::unexpected(index.error());
    return ParameterPlace{(*node)->id, *index};
}

void AudioGraph::prepare_to_set(const ParameterPlace& place, float value) {
    const GraphNode* const node = find(place.node);
    if (node != nullptr && node->parameters[place.index] != value) static_cast<void>(writable(place.node));
}

void AudioGraph::set_parameter(const ParameterPlace& place, float value) {
    const GraphNode* const node = find(place.node);
    if (node == nullptr || node->parameters[place.index] == value) return;
    writable(place.node).parameters[place.index] = positive_zero(value);
}

std::expected<std::vector<std::uint32_t>, Cycle> AudioGraph::order() const {
    std::vector<Arc> arcs;
    arcs.reserve(connection_count_);
    for (std::size_t to = 0; to < nodes_.size(); ++to) {
        for (const IncomingConnection& connection : nodes_[to]->incoming) {
            arcs.push_back(
                {static_cast<std::uint32_t>(index_of(connection.from.node)), static_cast<std::uint32_t>(to)});
        }
    }
    return topological_order(static_cast<std::uint32_t>(nodes_.size()), arcs);
}

Error AudioGraph::cycle_error(const Cycle& cycle) const {
    constexpr std::size_t kMostNamed = 12;
    std::string path;
    const std::size_t count = cycle.nodes.size();
    for (std::size_t i = 0; i < std::min(count, kMostNamed); ++i) path += nodes_[cycle.nodes[i]]->name() + " -> ";
    if (count > kMostNamed) path += std::to_string(count - kMostNamed) + " more -> ";
    path += nodes_[cycle.nodes.front()]->name();
    return {ErrorCode::failed_precondition, "the connections would form a cycle: " + path, {}};
}

const GraphNode* AudioGraph::find(std::string_view name) const {
    const std::uint64_t found = ids_.find(name, [&](std::uint64_t id) { return find(NodeId{id})->name() == name; });
    return found == 0 ? nullptr : find(NodeId{found});
}

const GraphNode* AudioGraph::find(NodeId id) const {
    const std::size_t index = index_of(id);
    return index < nodes_.size() && node_ids_[index] == id ? nodes_[index].get() : nullptr;
}

std::string AudioGraph::output_name(PortRef port) const {
    const GraphNode& node = *find(port.node);
    return port_name(node, node.description->layout.outputs, port.port);
}

std::string AudioGraph::input_name(PortRef port) const {
    const GraphNode& node = *find(port.node);
    return port_name(node, node.description->layout.inputs, port.port);
}

GraphDocument AudioGraph::document() const {
    GraphDocument document;
    document.latency_compensation = latency_compensation_;
    document.annotation = annotation_;
    document.nodes.reserve(nodes_.size());
    document.connections.reserve(connection_count_);
    for (const auto& node : nodes_) {
        GraphDocument::Node entry{node->name(),
                                  std::string{node->description->type->name},
                                  node->description->given_settings,
                                  {},
                                  {},
                                  node->description->annotation};
        for (std::size_t i = 0; i < node->parameters.size(); ++i) {
            entry.parameters.emplace(node->description->layout.parameters[i].name, node->parameters[i]);
        }
        document.nodes.push_back(std::move(entry));
        for (const IncomingConnection& connection : node->incoming) {
            GraphDocument::Connection line{
                output_name(connection.from), input_name({node->id, connection.to_port}), {}, {}};
            if (connection.gain_db != 0.0F) line.gain_db = connection.gain_db;
            document.connections.push_back(std::move(line));
        }
    }
    return document;
}

std::size_t AudioGraph::index_of(NodeId id) const {
    if (node_ids_.empty() || id <= node_ids_[0]) return 0;
    // Ids ascend, most of them by 1, so the place is not far before this one.
    const auto last =
        static_cast<std::size_t>(std::min<std::uint64_t>(id.value() - node_ids_[0].value(), node_ids_.size()));
    std::size_t way = 1;
    while (way <= last && node_ids_[last - way] >= id) way *= 2;
    const auto begin = node_ids_.begin() + static_cast<std::ptrdiff_t>(last - std::min(way, last));
    const auto end = node_ids_.begin() + static_cast<std::ptrdiff_t>(last - way / 2);
    return static_cast<std::size_t>(std::lower_bound(begin, end, id) - node_ids_.begin());
}

void AudioGraph::push_back(std::shared_ptr<const GraphNode> node) {
    node_ids_.own().push_back(node->id);
    ids_.add(node->name(), node->id.value());
    if (node->description->type->device_role == DeviceRole::sink) device_sinks_.push_back(node->id);
    nodes_.push_back(std::move(node));
}

void AudioGraph::erase(std::size_t index) {
    const GraphNode& node = *nodes_[index];
    ids_.remove(node.name(), node.id.value());
    if (compaction_deferred_) {
        nodes_[index].reset();
        ++gap_count_;
        return;
    }
    if (node.description->type->device_role == DeviceRole::sink) std::erase(device_sinks_, node.id);
    nodes_.erase(nodes_.begin() + static_cast<std::ptrdiff_t>(index));
    std::vector<NodeId>& ids = node_ids_.own();
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(index));
}

void AudioGraph::compact() {
    compaction_deferred_ = false;
    if (std::exchange(gap_count_, 0) == 0) return;
    std::erase(nodes_, nullptr);
    std::vector<NodeId> ids;
    ids.reserve(nodes_.size());
    for (const auto& node : nodes_) ids.push_back(node->id);
    node_ids_ = SharedVector{std::move(ids)};
    std::erase_if(device_sinks_, [this](NodeId id) { return find(id) == nullptr; });
}

GraphNode& AudioGraph::writable(NodeId id) {
    std::shared_ptr<const GraphNode>& node = nodes_[index_of(id)];
    // The node may be shared with a copy of this graph, which must not change. Another thread may read a copy that the
    // control thread keeps for it; until that is destroyed, the count is larger than 1.
    if (node.use_count() > 1) node = std::make_shared<GraphNode>(*node);
    // Every GraphNode is created as a non-const object; only the pointer is const.
    return const_cast<GraphNode&>(*node);
}

Expected<const GraphNode*> AudioGraph::require(std::string_view name) const {
    if (const GraphNode* node = find(name)) return node;
    std::vector<std::string_view> names;
    names.reserve(nodes_.size());
    for (const auto& node : nodes_) {
        if (node != nullptr) names.push_back(node->name());
    }
    return fail(ErrorCode::not_found, unknown_name("node", name, names));
}

Expected<PortRef> AudioGraph::resolve_output(std::string_view text) const {
    const auto [name, port] = split_port(text);
    const auto node = require(name);
    if (!node) return std::unexpected(node.error());
    const auto index = resolve_port(**node, (*node)->description->layout.outputs, port, "output");
    if (!index) return std::unexpected(index.error());
    return PortRef{(*node)->id, *index};
}

Expected<PortRef> AudioGraph::resolve_input(std::string_view text) const {
    const auto [name, port] = split_port(text);
    const auto node = require(name);
    if (!node) return std::unexpected(node.error());
    const auto index = resolve_port(**node, (*node)->description->layout.inputs, port, "input");
    if (!index) return std::unexpected(index.error());
    return PortRef{(*node)->id, *index};
}

Expected<void> AudioGraph::check_widths(PortRef from, PortRef to) const {
    const std::uint32_t from_width = find(from.node)->description->layout.outputs[from.port].width;
    const std::uint32_t to_width = find(to.node)->description->layout.inputs[to.port].width;
    if (from_width == to_width || from_width == 1) return {};
    return fail(ErrorCode::failed_precondition,
                "connection " + output_name(from) + " -> " + input_name(to) + " refused: " + output_name(from) +
                    " has " + channel_count(from_width) + ", " + input_name(to) + " has " + channel_count(to_width) +
                    "; expected equal channel counts or a mono source");
}

}  // namespace rta
