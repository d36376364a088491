// SPDX-License-Identifier: MIT
// What a graph takes, and whether it may.
#include <string>
#include <string_view>

#include "graph/audio_graph.h"

namespace rta {
namespace {

std::string megabytes(std::uint64_t bytes) { return std::to_string((bytes + (1U << 20U) - 1) >> 20U) + " MiB"; }

/// "the limit is 3 (--max-nodes)"; the graph may have more already.
std::string limit_words(std::string limit, std::string_view flag, bool was_larger) {
    return "; the limit is " + std::move(limit) + " (" + std::string{flag} + ")" +
           (was_larger ? ", which the graph exceeds already: it can be edited, but not enlarged" : "");
}

}  // namespace

std::uint64_t estimated_memory_bytes(const NodeType& type, const BuildContext& context, const NodeLayout& layout) {
    if (type.memory_bytes != nullptr) return type.memory_bytes(context);
    std::uint64_t channels = 0;
    for (const NodeLayout::Port& port : layout.inputs) channels += port.width;
    for (const NodeLayout::Port& port : layout.outputs) channels += port.width;
    // Buffers of a block, for moving coefficients and for each channel; the state of each channel and parameter.
    constexpr std::uint64_t kNodeBytes = std::uint64_t{4} << 10U;
    constexpr std::uint64_t kParameterBytes = 256;
    constexpr std::uint64_t kChannelBytes = 192;
    constexpr std::uint64_t kFrameBytes = 72;
    constexpr std::uint64_t kFrameOfChannelBytes = 2;
    return kNodeBytes + kParameterBytes * layout.parameters.size() + kChannelBytes * channels +
           context.block_size * (kFrameBytes + kFrameOfChannelBytes * channels);
}

bool AudioGraph::fits(const GraphLimits& limits, const GraphSize& before) const {
    const GraphSize bounds = limits.bounds(before);
    return node_count() <= bounds.nodes && connection_count_ <= bounds.connections &&
           memory_bytes_ <= bounds.memory_bytes && document_bytes_ <= bounds.document_bytes;
}

Expected<void> AudioGraph::check_size(const GraphLimits& limits, const GraphSize& before) const {
    if (fits(limits, before)) return {};
    const GraphSize bounds = limits.bounds(before);
    std::string sentence = "the graph would have ";
    if (node_count() > bounds.nodes) {
        sentence += std::to_string(node_count()) + " nodes" +
                    limit_words(std::to_string(limits.nodes), "--max-nodes", before.nodes > limits.nodes);
    } else if (connection_count_ > bounds.connections) {
        sentence += std::to_string(connection_count_) + " connections" +
                    limit_words(std::to_string(limits.connections), "--max-connections",
                                before.connections > limits.connections);
    } else if (memory_bytes_ > bounds.memory_bytes) {
        sentence += "nodes of " + megabytes(memory_bytes_) + " of memory" +
                    limit_words(megabytes(limits.memory_bytes), "--max-graph-memory",
                                before.memory_bytes > limits.memory_bytes);
    } else {
        sentence = "the graph is too large to save: its document has up to " + std::to_string(document_bytes_) +
                   " bytes, depending on the values of parameters; expected at most " +
                   std::to_string(limits.document_bytes) +
                   (limits.document_bytes % (1U << 20U) == 0 ? " (" + megabytes(limits.document_bytes) + ")" : "") +
                   ", the limit of --max-document-size";
    }
    return fail(ErrorCode::resource_exhausted, std::move(sentence));
}

}  // namespace rta
