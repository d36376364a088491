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

/// The contents of a plan: everything that sounds before, during or after its round, and what is being filled.
struct CompileRequest {
    struct Node {
        std::shared_ptr<NodeInstance> instance;
        bool present = true;  ///< device sinks: in the target of the round
    };
    /// Nodes are identified by their index in `nodes`.
    struct Connection {
        std::uint32_t from_node;
        std::uint32_t from_port;
        std::uint32_t to_node;
        std::uint32_t to_port;
        std::shared_ptr<ConnectionState> state;
        float target_gain;
        /// Presence and gain rest at exactly 1: the signal may be read in place.
        bool at_unity;
        bool present = true;  ///< in the target of the round
        /// Before the gain starts to move: a signal that is delayed fades in when it has arrived.
        std::uint32_t gain_wait_frames = 0;
        bool fades_in = false;  ///< the gain starts at 0, because the destination remembers what it receives
    };

    /// A delay that is filled before it is heard: no node reads it yet, so it cannot close a cycle.
    struct Filling {
        std::uint32_t from_node;
        std::uint32_t from_port;
        std::shared_ptr<ConnectionState> state;
    };

    std::uint32_t block_size;
    std::uint32_t gain_fade_frames;
    std::uint64_t round;
    std::uint32_t round_frames;
    std::vector<Node> nodes;
    std::vector<Connection> connections;  ///< sorted by (to_node, to_port)
    std::vector<Filling> fillings;
    std::vector<ParameterTarget> targets;  ///< of nodes in `nodes`; if two have the same parameter, the later wins
};

/// Sorts the nodes, assigns buffers to signals, and writes the list of steps. Buffers are reused as soon as their last
/// reader has run, and in-place nodes share the buffers of their input, so a chain of any length needs two or three.
/// O(nodes + connections), plus sorting the sources of each mix. [control]
[[nodiscard]] std::expected<std::unique_ptr<CompiledGraph>, Cycle> compile(CompileRequest request);

}  // namespace rta
