// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "dsp/math.h"
#include "engine/draft.h"
#include "engine/engine.h"
#include "engine/kept_processors.h"
#include "engine/level_meters.h"
#include "engine/node_builder.h"
#include "engine/plan_exchange.h"
#include "engine/port_taps.h"
#include "engine/processor_build.h"
#include "engine/rounds.h"
#include "engine/run_on_worker.h"

namespace rta {

/// Margin by which a change may be heard later than estimated.
inline constexpr float kPromiseGraceMs = 50.0F;
/// How long a plan may wait that only makes rendering cheaper, because gains have reached their targets: transactions
/// that follow each other closely need no plans between them.
inline constexpr float kFollowUpMs = 50.0F;
/// Maximum look-ahead for which a signal glides to another latency, which avoids comb filtering. The longest glide
/// takes 1 s.
inline constexpr float kLongestGlideMs = 10.0F;

/// A fade of the device output in progress.
struct DeviceFade {
    std::uint64_t serial;
    Command::DeviceFade fade;
    std::optional<std::uint64_t> end_frame{};  ///< known once the command has been applied
};

/// When a transaction starts.
struct CommitStart {
    std::optional<std::uint64_t> frame{};  ///< its plan is scheduled for the block that starts here
    std::uint64_t not_before = 0;          ///< its plan is sent now, and a later one starts it
    std::uint32_t gain_frames = 0;         ///< see Rounds::Change
};

/// State of the Engine, private to this folder, and the steps of its calls. [control]
struct EngineCore {
    EngineCore(const NodeRegistry& registry_in, const EngineConfig& config_in)
        : registry{registry_in}, config{config_in}, exchange{config_in.sample_rate_hz, config_in.block_size} {}

    const NodeRegistry& registry;
    EngineConfig config;
    NodeBuilder builder{registry, config};
    AudioThreadGate gate;
    PlanExchange exchange;

    AudioGraph graph;
    std::uint64_t revision = 0;
    std::uint64_t next_id = 1;
    NodeInstances instances;  ///< the nodes of `graph`
    KeptProcessors kept{config.sample_rate_hz, config.kept_bytes};
    std::vector<SharedGraphSnapshot> snapshots;      ///< freed by the next poll() that finds no other reference
    std::shared_ptr<GraphSnapshot> latest_snapshot;  ///< of the present graph; null: none was taken since it changed
    /// What depends on the nodes and connections of `graph`, until they change.
    std::shared_ptr<const std::vector<std::uint32_t>> own_latencies;
    std::optional<LatencyReport> latency;
    Rounds rounds{{.round_frames = frames_of(kConnectionFadeMs),
                   .device_round_frames = frames_of(kDeviceFadeMs),
                   .gain_frames = frames_of(kConnectionFadeMs),
                   .follow_up_frames = frames_of(kFollowUpMs),
                   .grace_frames = frames_of(kPromiseGraceMs),
                   .longest_glide_frames = frames_of(kLongestGlideMs),
                   .most_parameters = exchange.maximum_targets(),
                   .block_frames = config.block_size}};
    LevelMeters levels{exchange.renderer().output_levels(), config.sample_rate_hz};
    PortTaps taps;
    PlanWatcher plan_watcher;
    ParameterWatcher parameter_watcher;
    GraphWatcher graph_watcher;

    float device_gain = 1.0F;  ///< target of the last fade_device()
    float volume_db = 0.0F;
    bool muted = false;
    std::optional<DeviceFade> device_fade;
    std::map<NodeId, std::uint64_t> faulted_nodes;  ///< the frame from which each may be rebuilt
    std::shared_ptr<ProcessorBuild> rebuild;        ///< successors of faulted nodes; null if none are being built
    std::uint64_t adopted_serial = 0;               ///< up to which `rounds` knows that plans are adopted
    std::map<NodeId, std::uint64_t> rebuilt_nodes;  ///< the frame at which each was rebuilt
    RunOnWorker run_on_worker = run_here;
    std::weak_ptr<const bool> reset;      ///< expires when the reset is over
    bool refused_until_progress = false;  ///< the last commit was refused because of what waits or fades out
    std::uint64_t rounds_advanced = 0;    ///< how often waiting changes have been retried
    bool held_back = false;               ///< during a reset the graph has changed, and the sound has not
    /// Parameter changes of transactions that are held back, and their ramps in ms. The values are in the graph.
    std::map<std::pair<NodeId, std::uint32_t>, float> held_changes;
    std::vector<std::uint64_t> held_revisions;
    std::vector<NodeId> held_renames;
    // The latest reset. Faults from before it belong to processors that it replaced.
    std::uint64_t reset_serial = 0;
    std::uint64_t reset_frame = 0;
    std::uint32_t reset_silence_frames = 0;  ///< at the output after the reset

    [[nodiscard]] std::uint32_t frames_of(float ms) const {
        if (!config.ramps) return 0;
        return static_cast<std::uint32_t>(std::lround(static_cast<double>(ms) * config.sample_rate_hz / 1000.0));
    }

    /// Returns the gain of the device output when all fades have ended.
    [[nodiscard]] float output_gain() const { return muted ? 0.0F : device_gain * dsp::gain_from_db(volume_db); }
    [[nodiscard]] bool reset_in_progress() const { return !reset.expired(); }
    [[nodiscard]] DraftOrigin origin(const GraphLimits& limits) const {
        return {.graph = graph, .next_id = next_id, .instances = instances, .limits = limits};
    }

    /// Returns a snapshot of the graph.
    [[nodiscard]] SharedGraphSnapshot snapshot(std::optional<std::uint64_t> change_number = std::nullopt);
    /// Returns the latency that each node adds, in the order of the graph.
    [[nodiscard]] std::shared_ptr<const std::vector<std::uint32_t>> latencies();
    /// Frees the snapshots that nothing else refers to.
    void free_snapshots() {
        std::erase_if(snapshots, [](const SharedGraphSnapshot& snapshot) { return snapshot.use_count() == 1; });
    }

    // Sending.
    [[nodiscard]] Rounds::Moment now() const {
        return {.frame = exchange.renderer().frames(), .serial = exchange.next_serial()};
    }
    /// Returns the first frame of the block that holds the frame, or of the next one that can be scheduled.
    [[nodiscard]] std::uint64_t block_of(std::uint64_t frame) const {
        const std::uint64_t earliest = std::max(exchange.renderer().frames(), exchange.scheduled_frame());
        return std::max(frame, earliest) / config.block_size * config.block_size;
    }
    /// Parameters that commands change which have been sent and not applied.
    struct SentTargets {
        std::uint64_t serial;
        std::uint64_t block;  ///< of a scheduled command: the number of the block of its frame
        std::vector<ParameterTarget> targets;
        std::vector<std::shared_ptr<NodeInstance>> owners;  ///< the nodes may leave the graph
    };
    std::vector<SentTargets> scheduled_targets;
    std::vector<SentTargets> plan_targets;  ///< of plans without a frame
    [[nodiscard]] SentTargets sent(std::vector<ParameterTarget> targets, std::optional<std::uint64_t> frame) const;
    /// Returns whether commands that have been sent change one of the targets, too, so that the order would be lost. A ramp
    /// can start once in a block.
    [[nodiscard]] bool must_wait(std::span<const ParameterTarget> targets, std::optional<std::uint64_t> frame) const;
    void scheduled_applied(const Event::Applied& reply, Engine::Observer& observer);
    void adopted(std::uint64_t serial, std::uint64_t frame, Engine::Observer& observer);
    /// Returns the next plan to send. `renamed`: nodes have been renamed since the latest one.
    [[nodiscard]] std::unique_ptr<CompiledGraph> make_plan(CompileRequest request, bool renamed) const;
    /// Sends parameters, or an empty command if none exist. There is room for them.
    std::uint64_t send_targets(std::vector<ParameterTarget> targets, std::optional<std::uint64_t> frame = {});
    /// Sends the plan of `next`, or only its parameters, or an empty command if no plan is needed. There is room for a plan.
    std::uint64_t send(Rounds next, const Rounds::Step& step, const AudioGraph& committed,
                       const CommitStart& start = {});
    /// Sends the transition to a draft. The revisions are reported when it is heard. There is room for a plan.
    [[nodiscard]] Expected<std::uint64_t> send_draft(const Draft& draft, std::vector<std::uint64_t> revisions,
                                                     const CommitStart& start = {});
    /// What a draft needs to replace the graph, with all memory for it.
    struct Adoption {
        NodeInstances added{};
        std::vector<LevelMeters::Meter> meters{};
        std::vector<NodeId> removed{};
        KeptProcessors::Removed kept{};
    };
    /// Nothing changes.
    [[nodiscard]] Adoption prepare_adoption(const Draft& draft);
    /// Returns the graph before. Does not throw, so that it can follow a plan that has been sent.
    AudioGraph adopt(Draft draft, Adoption adoption) noexcept;
    /// Undoes Draft::rename_instances() for a draft that is not adopted.
    void restore_names(const Draft& draft);
    std::uint64_t send_device_fade(float length_ms);
    /// `fresh` has instances of nodes that have run; the others are fresh themselves. There is room for a plan.
    Ticket replace_processors(const NodeInstances& fresh);
    [[nodiscard]] Expected<Ticket> commit(PreparedEdits& edits, const CommitStart& start, AudioGraph* before,
                                          const Admission& admission);
    [[nodiscard]] Expected<Ticket> set_parameters(std::span<const SetParameter> edits, std::span<float> results,
                                                  std::span<float> previous, std::optional<std::uint64_t> frame);
    [[nodiscard]] std::unexpected<Error> refuse_until_scheduled();
    [[nodiscard]] bool has_room_for_targets(std::size_t targets, std::optional<std::uint64_t> frame) const {
        if (frame) return exchange.has_room_for_targets_at(targets);
        return exchange.has_room_for_command() && exchange.has_room_for_targets(targets);
    }
    [[nodiscard]] Expected<Ticket> send_commit(const Draft& draft, const CommitStart& start = {});
    void release_held_changes();

    /// Returns the targets of nodes that are in the current plan.
    [[nodiscard]] std::vector<ParameterTarget> targets_of(std::span<const ParameterChange> changes) const;

    // Replies of the audio thread.
    void applied(const Event::Applied& reply, Engine::Observer& observer);
    void end_fades(Engine::Observer& observer);
    void start_waiting();
    void node_faulted(const Event::NodeFault& fault, Engine::Observer& observer);
    void rebuild_faulted_nodes();
    void start_rebuild();
    void replace_faulted_nodes();
    void abandon_rebuild();
};

}  // namespace rta
