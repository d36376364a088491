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

/// The contents of a plan: nodes and connections of the graph, and those that are still fading out.
struct CompileRequest {
    struct Node {
        std::shared_ptr<NodeInstance> instance;
        bool leaving = false;
        bool entering = false;  ///< not in any earlier plan
        Silence silence{};      ///< remaining at its outputs, unless it is entering
    };
    /// Nodes are identified by their index in `nodes`.
    struct Connection {
        std::uint32_t from_node;
        std::uint32_t from_port;
        std::uint32_t to_node;
        std::uint32_t to_port;
        std::shared_ptr<ConnectionState> state;
        float target_gain;
        /// The gain rests at exactly 1: the signal may be read in place.
        bool at_unity;
        bool entering = false;  ///< not in any earlier plan
        Silence silence{};      ///< remaining after it, unless it is entering
    };

    std::uint32_t block_size;
    std::uint32_t connection_fade_frames;
    std::uint32_t device_fade_frames;
    std::vector<Node> nodes;
    std::vector<Connection> connections;   ///< sorted by (to_node, to_port)
    std::vector<ParameterTarget> targets;  ///< of nodes in `nodes`; if two have the same parameter, the later wins
};

/// Sorts the nodes, assigns buffers to signals, and writes the list of steps. Buffers are reused as soon as their last
/// reader has run, and in-place nodes share the buffers of their input, so a chain of any length needs two or three.
/// O(nodes + connections), plus sorting the sources of each mix. [control]
[[nodiscard]] std::expected<std::unique_ptr<CompiledGraph>, Cycle> compile(CompileRequest request);

}  // namespace rta
