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

/// The contents of the latest plan: the committed graph, and nodes and connections that are still fading out. [control]
///
/// A connection fades in or out exactly when its destination was in the graph before and stays in it. Connections into
/// a new or a leaving node have full gain. A node inserted into a connection therefore crossfades with the path that it
/// replaces, without a dip.
///
/// A plan is identified by the serial of the command that carried it, and fades end in the order in which they started.
/// One number, the last serial whose fades have ended, therefore determines what may be pruned.
struct SoundingGraph {
    struct Node {
        std::shared_ptr<NodeInstance> instance;
        std::uint64_t left_in = 0;     ///< the plan in which it left the graph; 0: it is in the graph
        std::uint64_t entered_in = 0;  ///< the first plan that contained it
        Silence silence{};             ///< of its outputs, counted from the adoption of that plan
    };
    /// A connection whose compensating delay changes is replaced by a new one; the two crossfade.
    struct Connection {
        ConnectionKey key;
        std::uint32_t delay_frames;
        std::shared_ptr<ConnectionState> state;
        float target_gain;
        std::uint64_t changed_in = 0;  ///< the plan in which its gain last changed; 0: never
        std::uint64_t entered_in = 0;  ///< the first plan that contained it
    };

    std::vector<Node> nodes;              ///< by id
    std::vector<Connection> connections;  ///< by key and delay
    /// Something fades. A plan must follow the fades: to prune, to read signals in place again, or to complete the
    /// change.
    bool unsettled = false;
    /// A device sink enters or leaves: the fades of the plan last as long as those of the device.
    bool device_fades = false;

    [[nodiscard]] bool contains(NodeId id) const;
    /// Returns what is left, at the time of the request, of a silence that started with the plan `serial`.
    using RemainingSilence = std::function<Silence(const Silence& silence, std::uint64_t serial)>;
    /// Returns the request to compile this as the plan `serial`.
    [[nodiscard]] CompileRequest request(std::uint64_t serial, std::uint64_t ended_serial,
                                         const RemainingSilence& remaining_silence) const;
};

/// A change from the current sound to a new graph.
struct SoundingTransition {
    const SoundingGraph& now;
    const AudioGraph& target;
    /// One for each connection of `target`: for each node, its incoming connections in order. Empty: no delays.
    std::span<const std::uint32_t> delays_frames;
    std::uint64_t serial;        ///< of the new plan
    std::uint64_t ended_serial;  ///< the last plan whose fades have ended
    /// Returns the instance of a node that is not in `now`.
    std::function<std::shared_ptr<NodeInstance>(NodeId)> entering;
};

/// Returns the transition from `now` to `target`: everything that is still audible, plus the new graph.
[[nodiscard]] SoundingGraph merge(const SoundingTransition& transition);
/// Returns the transition without the additions of `target`: the first half of a change in which old and new
/// connections together would form a cycle.
[[nodiscard]] SoundingGraph merge_departures(const SoundingTransition& transition);

}  // namespace rta
