// SPDX-License-Identifier: MIT
#include "api/scenes/scene_content.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <unordered_set>
#include <utility>

#include "graph/document_values.h"
#include "graph/port_text.h"

namespace rta::api {
namespace {

constexpr std::string_view kFirstLine = "// rtad scene 1\n";
constexpr std::string_view kPartial = "// partial";
constexpr std::string_view kAuthor = "// author ";
constexpr std::string_view kSaved = "// saved ";
constexpr std::string_view kNodes = "// nodes ";

/// The name of an author must not end its comment.
std::string one_line(std::string text) {
    std::ranges::replace_if(text, [](char byte) { return static_cast<unsigned char>(byte) < 0x20; }, ' ');
    return text;
}

template <class Number>
void read_number(std::string_view text, Number& number) {
    static_cast<void>(std::from_chars(text.data(), text.data() + text.size(), number));
}

Expected<void> add_node(const GraphDocument::Node& node, NodeId id, const Engine& engine, AudioGraph& graph) {
    const auto type = engine.registry().require(node.type);
    if (!type) return std::unexpected(type.error());
    Settings settings = node.settings;
    static_cast<void>(draw_settings((*type)->settings, random_from_name(node.name), settings));
    auto description = NodeDescription::make(**type, node.name, std::move(settings), engine.config().sample_rate_hz,
                                             node.annotation, engine.config().block_size);
    if (!description) return std::unexpected(std::move(description.error()));
    auto values = (*description)->parameter_values(node.parameters);
    if (!values) return std::unexpected(std::move(values.error()));
    return graph.add_node(id, std::move(*description), std::move(*values));
}

}  // namespace

std::uint64_t SceneContent::memory_bytes() const {
    constexpr std::uint64_t kNodeBytes = 2'048;  // with the names and settings
    constexpr std::uint64_t kConnectionBytes = 64;
    std::uint64_t bytes = kConnectionBytes * graph.connection_count();
    for (const auto& node : graph.nodes())
        bytes += kNodeBytes + node->parameters.size() * (sizeof(float) + sizeof(ParameterSpec));
    return bytes;
}

std::string write_scene(const SceneHeader& header, const GraphDocument& document) {
    std::string text{kFirstLine};
    if (header.partial) text.append(kPartial).append("\n");
    text.append(kAuthor).append(one_line(header.author)).append("\n");
    text.append(kSaved).append(std::to_string(header.utc_us)).append("\n");
    text.append(kNodes).append(std::to_string(header.nodes)).append("\n");
    return text + write_document(document);
}

SceneHeader read_scene_header(std::string_view text) {
    SceneHeader header;
    while (text.starts_with("//")) {
        const std::string_view line = text.substr(0, text.find('\n'));
        if (line == kPartial) header.partial = true;
        if (line.starts_with(kAuthor)) header.author = line.substr(kAuthor.size());
        if (line.starts_with(kSaved)) read_number(line.substr(kSaved.size()), header.utc_us);
        if (line.starts_with(kNodes)) read_number(line.substr(kNodes.size()), header.nodes);
        text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
    return header;
}

Expected<SceneContent> read_scene(std::string_view text, const Engine& engine) {
    auto loaded = load_document(text, engine.registry(), engine.config().sample_rate_hz);
    if (!loaded) return std::unexpected(std::move(loaded.error()));
    const GraphDocument& document = loaded->document;
    SceneContent content{.graph = {}, .partial = read_scene_header(text).partial};
    std::uint64_t id = 0;
    for (const GraphDocument::Node& node : document.nodes) {
        if (auto added = add_node(node, NodeId{++id}, engine, content.graph); !added)
            return std::unexpected(at_position(std::move(added.error()), node.position));
    }
    for (const GraphDocument::Connection& connection : document.connections) {
        auto connected = content.graph.connect(connection.from, connection.to, connection.gain_db);
        if (!connected) return std::unexpected(at_position(std::move(connected.error()), connection.position));
    }
    content.graph.set_latency_compensation(document.latency_compensation);
    if (auto described = content.graph.set_annotation(document.annotation); !described)
        return std::unexpected(std::move(described.error()));
    return content;
}

Expected<GraphDocument> scene_document(const AudioGraph& graph, std::span<const std::string> nodes) {
    GraphDocument document = graph.document();
    if (nodes.empty()) return document;
    std::unordered_set<std::string_view> wanted;
    for (const std::string& name : nodes) {
        if (const auto known = graph.require(name); !known) return std::unexpected(known.error());
        wanted.insert(name);
    }
    std::erase_if(document.nodes, [&](const auto& node) { return !wanted.contains(node.name); });
    std::erase_if(document.connections, [&](const auto& connection) {
        return !wanted.contains(split_port(connection.from).node) || !wanted.contains(split_port(connection.to).node);
    });
    document.latency_compensation = false;
    document.annotation = {};
    return document;
}

}  // namespace rta::api
