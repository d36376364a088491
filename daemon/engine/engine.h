// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dsp/loudness.h"
#include "graph/audio_graph.h"
#include "graph/edit.h"
#include "graph/node_type.h"
#include "rt/audio_thread.h"
#include "text/error.h"

namespace rta {

class Renderer;
class NodeInstance;

struct EngineConfig {
    double sample_rate_hz = 48'000.0;
    std::uint32_t block_size = 64;  ///< frames; a power of two from 16 to 1024
    /// Ramps and fades take no time. For one test binary only: it shows that the click tests can fail.
    bool ramps = true;
    /// Bytes that the machine can still give, or nullptr: nobody knows. Nodes that would take more are refused. [any]
    std::uint64_t (*memory_left_bytes)() = nullptr;
};

/// What a commit or a parameter change was given: watch Observer::applied() for the serial to know when it is heard.
struct Ticket {
    std::uint64_t serial = 0;    ///< of the command; serials are applied in order
    std::uint64_t revision = 0;  ///< of the graph after the commit
};

/// A transaction with the processors it may need already built. Its graph edits are not yet checked against anything.
class PreparedTransaction {
 public:
    PreparedTransaction();
    PreparedTransaction(PreparedTransaction&&) noexcept;
    PreparedTransaction& operator=(PreparedTransaction&&) noexcept;
    ~PreparedTransaction();

    [[nodiscard]] const Transaction& transaction() const;

 private:
    friend class Engine;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Fresh processors for the nodes that the graph had when it was begun.
class PreparedReset {
 public:
    PreparedReset(PreparedReset&&) noexcept;
    PreparedReset& operator=(PreparedReset&&) noexcept;
    ~PreparedReset();

 private:
    friend class Engine;
    PreparedReset();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Of the graph that a checked transaction would give.
struct GraphSize {
    std::size_t node_count = 0;
    std::size_t connection_count = 0;
};

/// How late the sound is that the graph makes.
struct LatencyReport {
    struct Node {
        NodeId node;
        std::uint32_t own_frames;     ///< how much later the sound comes out of it than it went in; not 0
        std::uint64_t output_frames;  ///< how late what it puts out is
    };
    std::uint64_t output_frames = 0;  ///< how late what goes to the device is, on the longest way
    std::vector<Node> nodes{};        ///< those with look-ahead, by id
};

/// What was measured between two calls of take_levels().
struct MeasuredLevels {
    struct Channel {
        float peak = 0.0F;
        float true_peak = 0.0F;  ///< of meters; told up to 16 frames later than the peak
        double sum_of_squares = 0.0;
        std::uint64_t frame_count = 0;  ///< how many frames were measured: fewer where the channel came later
    };
    struct Source {
        NodeId node;                    ///< of the outputs: none
        std::uint64_t frame_count = 0;  ///< how many frames were measured: fewer where a node is younger, or muted
        std::vector<Channel> channels;  ///< those that there were at the end
        /// Of meters: of all channels together, as it is now.
        dsp::Loudness loudness = {};
        float maximum_true_peak = 0.0F;  ///< of meters: of all channels, since the loudness was restarted
    };

    std::uint64_t frame = 0;        ///< the engine's clock behind the last frame
    std::uint64_t frame_count = 0;  ///< 0: nothing is new
    Source outputs;                 ///< what went to the device
    std::vector<Source> meters;     ///< every node of the graph that measures, by id
};

/// What a node took in the blocks in which it was timed, since it came.
struct NodeTime {
    NodeId node;
    std::uint64_t cycles = 0;  ///< of cycle_count()
    std::uint64_t block_count = 0;
};

struct EngineStatistics {
    std::uint64_t plans_made = 0;
    std::uint64_t plans_freed = 0;
    std::uint64_t plans_alive = 0;
    std::uint64_t telemetry_dropped = 0;  ///< events lost because the telemetry ring was full
};

/// The control half of the engine: owns the graph, the processors and the plans; edits go in, plans go out to the
/// Renderer. Never waits: what cannot be done now is answered RESOURCE_EXHAUSTED, and nothing has changed. [control]
class Engine {
 public:
    /// What poll() reports, in order.
    class Observer {
     public:
        virtual ~Observer() = default;
        /// Every command up to `serial` was applied at the top of the block that begins at `frame`.
        virtual void applied(std::uint64_t serial, std::uint64_t frame) = 0;
        /// A node produced NaN or infinity at `frame`; it is silent until its processor has been built anew.
        virtual void node_faulted(const std::string& node, std::uint64_t frame) = 0;
        /// The fade of fade_device() has ended.
        virtual void device_faded(std::uint64_t frame) = 0;
    };

    Engine(const NodeRegistry& registry, const EngineConfig& config);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    /// No audio thread may be inside or enter any more.
    ~Engine();

    /// [any] Builds what the transaction needs that can be built without the graph: slow work, for a worker thread.
    /// Errors: an unknown type, a bad setting, a factory that refused, RESOURCE_EXHAUSTED where memory is short;
    /// `edit_index` names the edit.
    [[nodiscard]] Expected<PreparedTransaction> prepare(Transaction transaction) const;

    /// Validates against the graph of now, compiles, pushes: one step, all or nothing. Takes the next revision.
    /// RESOURCE_EXHAUSTED without an `edit_index` (the only error worth a retry with the same `prepared`): the audio
    /// thread has not yet handed back enough plans. On any error nothing has changed and `prepared` is as it was.
    [[nodiscard]] Expected<Ticket> commit(PreparedTransaction& prepared);

    /// Validates and compiles without committing; tells the size of the graph that would be.
    [[nodiscard]] Expected<GraphSize> check(const PreparedTransaction& prepared) const;

    /// Changes parameters, all or none, seen by the audio thread in one block. RESOURCE_EXHAUSTED as in commit().
    [[nodiscard]] Expected<Ticket> set_parameters(std::span<const SetParameter> changes);

    /// Fades the whole device output to silence (`gain` 0) or back (1) over `length_ms`. What is muted stays silent.
    [[nodiscard]] Expected<Ticket> fade_device(float gain, float length_ms);

    /// Fades the whole device output to silence over kDeviceFadeMs and keeps it there, or ends that. The graph plays
    /// on.
    [[nodiscard]] Expected<Ticket> mute_output(bool muted);
    /// What mute_output() said last.
    [[nodiscard]] bool output_muted() const;
    /// Muted, and the fade has ended.
    [[nodiscard]] bool output_silent() const;

    /// A reset brings every processor back to the state of a fresh one: fresh processors take the place of all that
    /// play, in one plan, without fades, so only do it while output_silent(). Graph, parameters and revision stay.
    /// First a list of what is to be built is made, quickly.
    [[nodiscard]] PreparedReset begin_reset() const;
    /// Lists what the graph has got since. False: nothing, and what was built can be sent.
    [[nodiscard]] bool extend_reset(PreparedReset& reset) const;
    /// [any] Then what is listed is built: slow work, for a worker thread. Errors: a factory that refused.
    [[nodiscard]] Expected<void> build_reset(PreparedReset& reset) const;
    /// And last it is sent. Precondition: all of the graph is built. RESOURCE_EXHAUSTED as in commit().
    [[nodiscard]] Expected<Ticket> reset(PreparedReset& reset);

    /// Begins or ends measuring levels; what was measured before is forgotten.
    void watch_levels(bool watched);
    /// Everything that was measured since the last call, in whole quanta of frames (256, or a block where that is
    /// longer).
    [[nodiscard]] MeasuredLevels take_levels();
    /// Begins the loudness of a programme anew (integrated, range and maxima) in the nodes of these names, or in all
    /// that measure if there are none: all or nothing. Returns the frame from which it counts. Errors: a name that is
    /// no node's, or that of a node that measures nothing.
    [[nodiscard]] Expected<std::uint64_t> restart_loudness(std::span<const std::string> names);

    /// Begins or ends timing nodes. Each is timed in some blocks only: about every 8,192 frames, in small graphs
    /// oftener.
    void watch_node_times(bool watched);
    /// Of all nodes of the graph, in no order.
    [[nodiscard]] std::vector<NodeTime> node_times() const;

    /// Takes in what the audio thread handed back, frees it, prunes what has faded out, and tells the observer.
    /// Call it every few milliseconds while anything is outstanding(), and every 100 ms otherwise.
    void poll(Observer& observer);
    /// Something was pushed and is not applied yet, or a fade is running after which a plan must follow.
    [[nodiscard]] bool outstanding() const;

    [[nodiscard]] const AudioGraph& graph() const;
    [[nodiscard]] LatencyReport latency() const;
    [[nodiscard]] std::uint64_t revision() const;
    [[nodiscard]] EngineStatistics statistics() const;
    [[nodiscard]] const EngineConfig& config() const;
    [[nodiscard]] const NodeRegistry& registry() const;

    /// The audio half, for whoever claims the gate.
    [[nodiscard]] Renderer& renderer();
    [[nodiscard]] const Renderer& renderer() const;
    [[nodiscard]] AudioThreadGate& gate();

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace rta
