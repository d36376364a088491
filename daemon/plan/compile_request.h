// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dsp/gliding_delay.h"
#include "graph/port_tap.h"
#include "plan/node_instance.h"

namespace rta {

/// A new value for one parameter, and the ramp to it.
struct ParameterTarget {
    NodeInstance* node;
    std::uint32_t parameter;
    float value;  ///< in the form that the processor receives
    std::uint32_t ramp_frames;
};

/// The contents of a plan: everything that sounds before, during or after its round, and what is being filled. The plan
/// borrows instances and states; the caller must keep them alive longer than the plan.
struct CompileRequest {
    /// A node, with all data that the compiler reads of it: the instance, its description and its type are in other
    /// parts of the memory, and reading those for each node takes longer than the rest of the compilation.
    struct Node {
        NodeInstance* instance;
        Processor* processor;
        std::span<const ParameterView> parameters;
        NodeId id;
        std::uint64_t name_bytes;    ///< the first eight bytes of its name
        std::uint32_t input_count;   ///< of ports
        std::uint32_t output_count;  ///< of ports
        std::uint32_t input_width;   ///< of the first port
        std::uint32_t output_width;  ///< of the first port
        std::uint32_t scratch_channels;
        bool in_place;
        bool forwards_channels;
        bool is_device_sink;
        bool present = true;  ///< device sinks: in the target of the round

        [[nodiscard]] static Node of(NodeInstance& instance);
    };
    /// A delay of a connection that moves; see SoundingGraph.
    struct Glide {
        dsp::GlidingDelay* delay = nullptr;  ///< nullptr: none
        std::uint32_t frames = 0;            ///< to which it moves
        std::uint32_t length_frames = 0;     ///< for how long
        std::uint64_t order = 0;             ///< see GlidingDelay::move_to()
        [[nodiscard]] bool operator==(const Glide&) const = default;
    };
    /// Nodes are identified by their index in `nodes`.
    struct Connection {
        std::uint32_t from_node;
        std::uint32_t from_port;
        std::uint32_t to_node;
        std::uint32_t to_port;
        ConnectionState* state;
        float target_gain;
        /// Presence and gain have reached their targets, and the presence is 1. If the gain is 1, too, the signal may
        /// be read in place.
        bool at_rest;
        bool present = true;                 ///< in the target of the round
        std::uint32_t gain_fade_frames = 0;  ///< if that is longer than those of the request
        /// Before the gain starts to move: a signal that is delayed fades in when it has arrived.
        std::uint32_t gain_wait_frames = 0;
        bool is_delayed = false;
        Glide glide = {};
    };

    /// A delay that is filled before it is heard: no node reads it yet, so it cannot close a cycle.
    struct Filling {
        std::uint32_t from_node;
        std::uint32_t from_port;
        ConnectionState* state;
        Glide glide = {};
    };

    /// An output port whose signal is measured.
    struct Tap {
        std::uint32_t from_node;
        std::uint32_t from_port;
        PortTap* tap;
    };

    std::uint32_t block_size;
    std::uint32_t gain_fade_frames;
    std::uint64_t round;
    std::uint32_t round_frames;
    std::vector<Node> nodes;
    std::vector<Connection> connections;  ///< sorted by (to_node, to_port)
    std::vector<Filling> fillings;
    std::vector<Tap> taps = {};
    std::vector<ParameterTarget> targets;  ///< of nodes in `nodes`; if two have the same parameter, the later wins
    std::uint32_t segment_nodes = 0;       ///< fewest nodes of a segment; 0: as few as are useful
};

/// Return the width of a port. [control]
[[nodiscard]] inline std::uint32_t input_width(const CompileRequest::Node& node, std::uint32_t port) {
    return port == 0 ? node.input_width : node.instance->description().layout.inputs[port].width;
}
[[nodiscard]] inline std::uint32_t output_width(const CompileRequest::Node& node, std::uint32_t port) {
    return port == 0 ? node.output_width : node.instance->description().layout.outputs[port].width;
}

}  // namespace rta
