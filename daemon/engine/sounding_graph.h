// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "graph/audio_graph.h"
#include "plan/compiler.h"
#include "plan/node_instance.h"

namespace rta {

/// What the latest plan makes sound: the committed graph, and what is still fading out of it. [control]
///
/// The rule of every fade: a connection fades, in or out, exactly when the node it leads into was there before and
/// stays. Into a new or a leaving node it stands at full gain. So a node that is put into a connection cross-fades with
/// the path that it replaces, without a dip.
///
/// Plans are known by the serial of the command that carried them, and fades end in the order in which they began: one
/// number, the last serial whose fades have ended, tells what may be pruned.
struct SoundingGraph {
    struct Node {
        std::shared_ptr<NodeInstance> instance;
        std::uint64_t left_in = 0;     ///< the plan in which it left the graph; 0: it is in the graph
        std::uint64_t entered_in = 0;  ///< the first plan that had it
        Silence silence{};             ///< of what it puts out, from that plan's adoption on
    };
    /// A connection whose compensating delay changes is another one: the two cross-fade.
    struct Connection {
        ConnectionKey key;
        std::uint32_t delay_frames;
        std::shared_ptr<ConnectionState> state;
        float target_gain;
        std::uint64_t changed_in = 0;  ///< the plan in which its gain began to change; 0: it never did
        std::uint64_t entered_in = 0;  ///< the first plan that had it
    };

    std::vector<Node> nodes;              ///< by id
    std::vector<Connection> connections;  ///< by key and delay
    /// Something fades, after which a plan must follow: to prune, to read signals in place again, or to complete.
    bool unsettled = false;
    /// A device sink comes or goes: the plan's fades last as long as the device's.
    bool device_fades = false;

    [[nodiscard]] bool contains(NodeId id) const;
    /// What of a silence that a plan brought is left at the time of the request.
    using SilenceLeft = std::function<Silence(const Silence& silence, std::uint64_t serial)>;
    /// The same as nodes and connections by number, for the plan `serial`.
    [[nodiscard]] CompileRequest request(std::uint64_t serial, std::uint64_t ended_serial,
                                         const SilenceLeft& silence_left) const;
};

struct SoundingTransition {
    const SoundingGraph& now;
    const AudioGraph& target;
    /// Of each connection of `target`, node after node, each with its incoming ones in their order; or none at all.
    std::span<const std::uint32_t> delays_frames;
    std::uint64_t serial;        ///< of the plan to be
    std::uint64_t ended_serial;  ///< the last plan whose fades have ended
    /// The instance of a node that is new to the sound.
    std::function<std::shared_ptr<NodeInstance>(NodeId)> entering;
};

/// `now` on its way to `target`: everything that still sounds, plus the new graph.
[[nodiscard]] SoundingGraph merge(const SoundingTransition& transition);
/// The same without what is new in `target`: the first half of a change whose old and new together would close a loop.
[[nodiscard]] SoundingGraph merge_departures(const SoundingTransition& transition);

}  // namespace rta
