// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/draft.h"
#include "engine/engine.h"
#include "engine/fade_schedule.h"
#include "engine/level_meters.h"
#include "engine/node_builder.h"
#include "engine/plan_exchange.h"
#include "engine/reset.h"
#include "engine/sounding_graph.h"

namespace rta {

/// A fade of the device output in progress.
struct DeviceFade {
    std::uint64_t serial;
    Silence wait;  ///< the fade starts after it
    std::uint32_t length_frames;
    std::optional<std::uint64_t> end_frame{};  ///< known once the command has been applied
};

/// A node that has produced NaN or infinity, and its successor.
struct FaultedNode {
    /// The build on a worker, which alone accesses `instance` until `done`.
    struct Build {
        Expected<std::shared_ptr<NodeInstance>> instance{};
        bool done = false;
    };

    std::uint64_t not_before;  ///< frame
    std::shared_ptr<Build> build{};
};

/// State of the Engine, private to this folder, and the steps of which its calls consist. [control]
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
    SoundingGraph sounding;
    FadeSchedule fades;
    bool follow_up_due = false;  ///< fades have ended: a plan without what has faded out must follow
    LevelMeters levels{exchange.renderer().output_levels(), config.sample_rate_hz};

    float device_gain = 1.0F;  ///< target of the last fade_device()
    bool muted = false;
    std::optional<DeviceFade> device_fade;
    std::map<NodeId, FaultedNode> faulted_nodes;
    std::map<NodeId, std::uint64_t> rebuilt_nodes;  ///< the frame at which each was rebuilt
    RunOnWorker run_on_worker = run_here;
    std::size_t resets_in_progress = 0;
    bool held_back = false;  ///< during a reset the graph has changed, and the sound has not
    // The latest reset. Faults from before it belong to processors that it replaced.
    std::uint64_t reset_serial = 0;
    std::uint64_t reset_frame = 0;
    Silence reset_silence;  ///< silence at the output that follows the reset

    [[nodiscard]] std::uint32_t frames_of(float ms) const {
        if (!config.ramps) return 0;
        return static_cast<std::uint32_t>(std::lround(static_cast<double>(ms) * config.sample_rate_hz / 1000.0));
    }

    [[nodiscard]] DraftOrigin origin() const { return {.graph = graph, .next_id = next_id, .instances = instances}; }

    // Sending.
    [[nodiscard]] CompileRequest request_for(const SoundingGraph& sound) const;
    [[nodiscard]] Silence remaining_silence(const Silence& silence, std::uint64_t serial) const;
    std::uint64_t send_sounding(std::unique_ptr<CompiledGraph> plan, std::uint32_t fade_frames);
    std::uint64_t send_plan(const Draft& draft);
    void adopt(Draft draft);
    std::uint64_t send_device_fade(float length_ms);
    /// `fresh` has instances of nodes that have run; the others are fresh themselves. There is room for a plan.
    Ticket replace_processors(const NodeInstances& fresh);
    /// Sends the transition to the draft, or, during a reset, only its parameter changes. There is room for a plan.
    std::uint64_t send_draft(const Draft& draft);
    std::uint64_t send_changes(const Draft& draft);
    [[nodiscard]] std::unique_ptr<CompiledGraph> compile_without_fades();

    [[nodiscard]] std::vector<ParameterTarget> targets_in(const SoundingGraph& sound,
                                                          std::span<const ParameterChange> changes) const;

    // Replies of the audio thread.
    void applied(const Event::Applied& reply);
    void end_fades(Engine::Observer& observer);
    void node_faulted(const Event::NodeFault& fault, Engine::Observer& observer);
    void rebuild_faulted_nodes();
    void rebuild(FaultedNode& node, const GraphNode& faulted);
    void replace_faulted_nodes();
};

}  // namespace rta
