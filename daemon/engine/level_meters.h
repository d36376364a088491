// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dsp/loudness.h"
#include "engine/draft.h"
#include "engine/measurements.h"
#include "graph/audio_graph.h"
#include "graph/level_tap.h"
#include "plan/node_instance.h"
#include "text/error.h"

namespace rta {

/// Collects the levels measured at the device outputs and in the nodes of the graph, and their gain reductions.
/// [control]
class LevelMeters {
 public:
    /// `outputs` must outlive this object.
    LevelMeters(LevelTap& outputs, double sample_rate_hz) : outputs_{outputs}, sample_rate_hz_{sample_rate_hz} {}

    /// A node that measures levels, or reports gain reduction.
    struct Meter {
        std::shared_ptr<NodeInstance> instance;
        std::optional<LevelRecord> held = {};  ///< frames for which the outputs have no record yet
        dsp::LoudnessMeter loudness = {};
        std::uint64_t restart_frame = 0;  ///< true peaks count from this frame on
        float maximum_true_peak = 0.0F;   ///< since restart_frame

        [[nodiscard]] LevelTap& tap() const { return *instance->level_tap(); }
        [[nodiscard]] bool reduces_gain() const { return tap().measures() == LevelTap::Measures::gain_reduction; }
    };
    /// Returns the meters of the new nodes of a draft, with the memory that add() needs. Nothing changes.
    [[nodiscard]] std::vector<Meter> prepare(const Draft& draft);
    /// Adds them, in the order of the ids of their nodes. Does not throw.
    void add(std::vector<Meter>&& meters);
    /// Removes nodes that are no longer in the graph.
    void keep_nodes_of(const AudioGraph& graph);
    /// Replaces the instances of all nodes after a reset.
    void replace_all(const NodeInstances& fresh);
    /// Switches the tap of a node on or off; must be called before the node's first plan.
    void prepare_to_play(const NodeInstance& instance) const;

    /// Starts or stops measurement; earlier measurements are discarded.
    void watch(bool watched);
    /// Returns all levels measured since the last call, in whole quanta.
    [[nodiscard]] MeasuredLevels take();
    /// See Engine::restart_loudness(). `frame` is the first frame that counts.
    [[nodiscard]] Expected<void> restart(std::span<const std::string> names, const AudioGraph& graph,
                                         std::uint64_t frame);

 private:
    void take_outputs(MeasuredLevels& levels);
    [[nodiscard]] MeasuredLevels::Source take(Meter& meter) const;
    void take_records(Meter& meter, MeasuredLevels::Source& source) const;

    LevelTap& outputs_;
    double sample_rate_hz_;
    std::vector<Meter> meters_;  ///< by id
    bool watched_ = false;
    std::optional<std::uint64_t> begin_frame_;  ///< earlier measurements do not count
    std::uint64_t end_frame_ = 0;               ///< end of the last measurement taken
};

}  // namespace rta
