// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/borrowed.h"
#include "engine/committed_connections.h"
#include "graph/audio_graph.h"
#include "graph/shared_vector.h"
#include "plan/compiler.h"
#include "plan/node_instance.h"

namespace rta {

/// The pseudo-port at which a device sink feeds the device.
inline constexpr std::uint32_t kDevicePort = static_cast<std::uint32_t>(-1);

/// Whether a signal is heard at its port.
struct Hearing {
    bool sounds = false;  ///< may be present now
    bool target = false;  ///< is in the target of the latest round
    bool wanted = false;  ///< is in the target of the unit that changes the port; otherwise the same as `target`

    static constexpr Hearing full() { return {.sounds = true, .target = true, .wanted = true}; }
    [[nodiscard]] bool any() const { return sounds || target || wanted; }
    [[nodiscard]] bool playing() const { return sounds || target; }
    /// Returns whether the target changes.
    bool aim();
    void settle() { sounds = target; }
};

/// The contents of the latest plan: what sounds before, during or after its round, and nodes and delays that are being
/// filled. A signal is filled from the frame at which everything new on its path has received input for the duration of
/// look-ahead and delays. A round may make it audible only after that. Copies share what is not changed: a transaction
/// that changes parameters only changes nothing here. [control]
struct SoundingGraph {
    struct Node {
        NodeId id;
        CompileRequest::Node compiled;  ///< what the plan contains of it
        std::uint64_t entered_in = 0;   ///< serial of the first plan that contains it
        std::uint64_t filled_from = 0;  ///< frame, estimated until that plan has been adopted; 0: nothing to fill
        // Data that traversals of all nodes read is stored here, because the instances are in other parts of the
        // memory.
        std::uint32_t latency_frames = 0;
        Hearing hearing{};       ///< device sinks: at the device
        bool committed = true;   ///< in the committed graph
        bool remembers = false;  ///< remembers its input, or has look-ahead
        /// Serial of the plan in which its inputs fade out, because it is not heard any more; 0: none.
        std::uint64_t drains_in = 0;

        [[nodiscard]] static Node entering(NodeInstance& instance, std::uint64_t serial);
        [[nodiscard]] bool is_sink() const { return compiled.is_device_sink; }
        /// Returns whether its signal starts with the node instead of with its inputs.
        [[nodiscard]] bool is_source() const { return compiled.input_count == 0; }
    };
    /// A connection whose compensating delay changes is replaced by a new one; the two crossfade.
    struct Connection {
        ConnectionKey key;
        std::uint32_t delay_frames;
        std::uint32_t from_node;  ///< index in `nodes`
        std::uint32_t to_node;    ///< index in `nodes`
        ConnectionState* state;
        std::uint64_t entered_in = 0;  ///< serial of the first plan that contains it
        float gain = 1.0F;
        float wanted_gain = 1.0F;              ///< after the unit that changes the port
        std::uint32_t gain_frames = 0;         ///< of the ramp to `gain`, if it is longer than usual
        std::uint32_t wanted_gain_frames = 0;  ///< to `wanted_gain`
        std::uint64_t gain_changed_in = 0;     ///< serial of the plan in which `gain` last changed; 0: never
        std::uint32_t fill_frames = 0;         ///< its delay and its fade-in
        std::uint64_t filled_from = 0;         ///< frame, as of nodes
        Hearing hearing{};
        bool filling = false;                ///< committed, and not wanted yet
        bool moves = true;                   ///< its presence may not have reached the target yet
        CompileRequest::Glide glide{};       ///< its order is the serial of the plan in which it got its target
        std::uint64_t glide_rests_from = 0;  ///< frame, estimated until that plan has been adopted
        std::uint32_t glide_from = 0;        ///< delay at its start

        /// Returns the delay at a frame, accurate to one block.
        [[nodiscard]] std::uint32_t glide_position(std::uint64_t frame) const;
        [[nodiscard]] std::uint32_t glide_distance() const {
            return std::max(glide_from, glide.frames) - std::min(glide_from, glide.frames);
        }
        /// Returns whether the glide is one to a delay of 0 in an adopted plan, and nothing fades.
        [[nodiscard]] bool glide_has_ended(std::uint64_t adopted_serial) const {
            return glide.delay != nullptr && glide.frames == 0 && !moves && hearing.target &&
                   glide.order <= adopted_serial;
        }
        void aim() { moves = hearing.aim() || moves; }
        [[nodiscard]] bool leaves() const { return hearing.target && !hearing.wanted; }
        [[nodiscard]] bool arrives() const { return hearing.wanted && !hearing.playing(); }
    };
    /// The parameters with which nodes and connections are added.
    struct Entrance {
        std::uint64_t serial;       ///< of the plan with which they enter
        std::uint64_t frame;        ///< at which that plan is likely to be adopted
        std::uint32_t fade_frames;  ///< of the inputs of nodes that remember them
        /// Returns the instance of a node of the committed graph.
        std::function<std::shared_ptr<NodeInstance>(NodeId)> instance;
    };

    SharedVector<Node> nodes;                    ///< by id
    SharedVector<Connection> connections;        ///< by key and delay
    SharedVector<std::uint32_t> first_incoming;  ///< for each node in `connections`, and one more at the end
    Borrowed borrowed;                           ///< what has changed since the last plan
    std::size_t glide_count = 0;                 ///< connections with a gliding delay

    /// Returns `graph` in the state in which all of it is heard.
    [[nodiscard]] static SoundingGraph of(const AudioGraph& graph, std::span<const CommittedConnection> committed,
                                          const Entrance& entrance);

    [[nodiscard]] const Node* find(NodeId id) const;
    [[nodiscard]] bool contains(NodeId id) const { return find(id) != nullptr; }
    [[nodiscard]] std::uint32_t index_of(NodeId id) const;
    [[nodiscard]] std::span<Connection> into(PortRef port);
    [[nodiscard]] std::span<const Connection> into(PortRef port) const;
    /// Returns the connections into the node with this index.
    [[nodiscard]] std::span<Connection> into_node(std::uint32_t index);
    [[nodiscard]] std::span<const Connection> into_node(std::uint32_t index) const;
    [[nodiscard]] const Connection* find(const CommittedConnection& connection) const;

    /// Adds the missing nodes of `graph` with their connections, and the delays that must be filled before they are
    /// heard. Marks removed nodes. Does not change what is heard. Returns whether anything must be filled.
    bool enter(const AudioGraph& graph, std::span<const CommittedConnection> committed, const Entrance& entrance);

    /// The plan from which on connections are wanted.
    struct Wish {
        std::uint64_t serial;
        std::uint32_t gain_frames = 0;  ///< of the ramps of gains, if they are longer than usual
    };
    /// Marks the committed connections at `ports`, which are sorted, as wanted. Ports of removed nodes do not change.
    /// Returns the ports that change.
    std::vector<PortRef> want(std::span<const PortRef> ports, std::span<const CommittedConnection> committed,
                              const Wish& wish);
    /// Undoes want(): the target is what is wanted.
    void keep(std::span<const PortRef> ports);
    /// Sets the target at a port to what is wanted.
    void aim(PortRef port, std::uint64_t serial);
    /// Reduces the target at a port to what sounds there and is still wanted.
    void aim_departures(PortRef port);
    /// Returns whether aim() would change presences, and not only gains.
    [[nodiscard]] bool changes_presence(PortRef port) const;
    /// Ends the round: its target sounds. Returns whether a new plan would differ.
    bool settle();
    /// Completes the round immediately, because nothing has sounded yet. Presences move in the first block. Returns
    /// whether the last plan contains more than what is left.
    bool settle_before_start();
    /// The plan with which nodes leave.
    struct Exit {
        std::uint64_t serial;                 ///< 0: nothing has sounded yet
        std::vector<std::uint64_t> draining;  ///< serials of the plans in which inputs of nodes still fade out
    };
    struct Pruned {
        bool removed;  ///< some nodes or connections
        bool drains;   ///< inputs of some nodes begin to fade out
    };
    /// Removes nodes and connections that are neither heard nor committed. A node that remembers its input may be put back
    /// by an undo: what it has heard must not end with a step, so its inputs fade out before it leaves.
    Pruned prune(const Exit& exit);
    /// Returns whether enter() has nothing to do for a graph with the same nodes and without delays: all connections
    /// are heard.
    [[nodiscard]] bool is_complete() const { return pruned_ && unheard_count_ == 0; }
    /// Removes what was added by the plan `serial`, which is not sent.
    void forget(std::uint64_t serial);

    /// Returns whether a node has look-ahead.
    [[nodiscard]] bool has_latency() const { return latent_count_ != 0; }
    /// Returns whether a connection glides or is late.
    [[nodiscard]] bool glides() const { return glide_count != 0; }
    /// Replaces or removes the gliding delay of a connection. Its target is 0.
    void replace_glide(Connection& connection, std::shared_ptr<dsp::GlidingDelay> delay);

    using Counts = bool (*)(const Hearing&);
    /// Returns for each node whether it feeds the device through connections that `counts` selects. At the ports in
    /// `later`, which are sorted, those in the target.
    [[nodiscard]] std::vector<bool> heard(Counts counts, std::span<const PortRef> later = {}) const;
    /// Returns the same for what plays, and for the target. Valid until any of these changes.
    [[nodiscard]] const std::vector<bool>& heard_playing() const;
    [[nodiscard]] const std::vector<bool>& heard_in_target() const;
    /// Returns those ports whose nodes are not heard, or no longer after the latest round.
    [[nodiscard]] std::vector<PortRef> unheard_ports(std::span<const PortRef> ports) const;
    [[nodiscard]] std::vector<Arc> arcs(Counts counts) const;

    /// Reads the names of all nodes again, because some were renamed.
    void read_names();
    /// Returns the number of nodes that are not in the committed graph.
    [[nodiscard]] std::size_t leaving_count() const { return leaving_count_; }
    /// Returns the request to compile this. Gains that changed in the plan `ended_gains` or before rest.
    [[nodiscard]] CompileRequest request(std::uint64_t ended_gains) const;

 private:
    class Entry;
    [[nodiscard]] Connection unheard(const CommittedConnection& committed, std::uint64_t serial);
    void add(std::vector<Connection> added);
    /// What plays or is in the target has changed.
    void hearing_changed();
    void find_incoming();
    /// Returns whether a node that is not heard any more has to stay, because its inputs fade out.
    [[nodiscard]] bool stays(std::uint32_t index, const Exit& exit, bool& drains);
    void keep_only(const std::vector<bool>& kept);
    /// Removes connections. Returns whether there were any.
    template <typename Predicate>
    bool remove_connections(Predicate removed);

    std::size_t leaving_count_ = 0;
    std::size_t latent_count_ = 0;    ///< nodes with look-ahead
    std::size_t unheard_count_ = 0;   ///< connections that prune() has kept although they are not heard
    bool pruned_ = false;             ///< nothing has changed since the last prune()
    std::uint64_t latest_entry_ = 0;  ///< serial of the last plan with which something has entered
    mutable std::optional<std::vector<bool>> heard_playing_;
    mutable std::optional<std::vector<bool>> heard_in_target_;
};

}  // namespace rta
