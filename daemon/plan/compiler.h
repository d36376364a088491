// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <vector>

#include "graph/topological_order.h"
#include "plan/compiled_graph.h"
#include "plan/node_instance.h"

namespace rta {

/// What shall sound: nodes and connections of the graph, together with those that are still fading out.
struct CompileRequest {
    struct Node {
        std::shared_ptr<NodeInstance> instance;
        bool leaving = false;
        bool entering = false;  ///< no plan before had it
        Silence silence{};      ///< of what it puts out, where a plan before brought it
    };
    /// Nodes are named by their index in `nodes`.
    struct Connection {
        std::uint32_t from_node;
        std::uint32_t from_port;
        std::uint32_t to_node;
        std::uint32_t to_port;
        std::shared_ptr<ConnectionState> state;
        float target_gain;
        /// The gain is known to rest at exactly 1: the signal may be read where it lies.
        bool at_unity;
        bool entering = false;  ///< no plan before had it
        Silence silence{};      ///< as of a node
    };

    std::uint32_t block_size;
    std::uint32_t connection_fade_frames;
    std::uint32_t device_fade_frames;
    std::vector<Node> nodes;
    std::vector<Connection> connections;   ///< sorted by (to_node, to_port)
    std::vector<ParameterTarget> targets;  ///< of nodes in `nodes`; of two for the same parameter the later counts
};

/// Sorts, gives every signal its buffer, and writes the step list. Buffers are reused as soon as their last reader has
/// run, and a node that works in place gets its input's: a chain of any length needs two or three. O(nodes +
/// connections) but for sorting the sources of each sum. [control]
[[nodiscard]] std::expected<std::unique_ptr<CompiledGraph>, Cycle> compile(CompileRequest request);

}  // namespace rta
