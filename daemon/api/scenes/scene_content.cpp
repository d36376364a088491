// SPDX-License-Identifier: MIT
#include "api/scenes/scene_content.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "graph/document_values.h"
#include "graph/recall.h"

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
    auto graph =
        graph_of(loaded->document, engine.registry(), engine.config().sample_rate_hz, engine.config().block_size);
    if (!graph) return std::unexpected(std::move(graph.error()));
    return SceneContent{.graph = std::move(*graph), .partial = read_scene_header(text).partial};
}

}  // namespace rta::api
