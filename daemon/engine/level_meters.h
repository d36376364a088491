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
#include "engine/engine.h"
#include "graph/audio_graph.h"
#include "graph/level_tap.h"
#include "plan/node_instance.h"
#include "text/error.h"

namespace rta {

/// Takes in what the device outputs and the nodes of the graph measure. [control]
class LevelMeters {
 public:
    /// `outputs` outlives it.
    LevelMeters(LevelTap& outputs, double sample_rate_hz) : outputs_{outputs}, sample_rate_hz_{sample_rate_hz} {}

    // The meters of the graph. Ids grow.
    void add(const std::shared_ptr<NodeInstance>& instance);
    void keep_those_of(const AudioGraph& graph);
    /// A reset: every node of the graph has a fresh processor.
    void replace_all(const NodeInstances& fresh);
    /// To be told of every node before its first plan.
    void about_to_sound(const NodeInstance& instance) const;

    /// Begins or ends measuring; what was measured before is forgotten.
    void watch(bool watched);
    /// Everything that was measured since the last call, in whole quanta.
    [[nodiscard]] MeasuredLevels take();
    /// See Engine::restart_loudness(). `frame`: from which it counts.
    [[nodiscard]] Expected<void> restart(std::span<const std::string> names, const AudioGraph& graph,
                                         std::uint64_t frame);

 private:
    /// A node that measures.
    struct Meter {
        std::shared_ptr<NodeInstance> instance;
        std::optional<LevelRecord> held = {};  ///< of frames that the outputs have not told of yet
        dsp::LoudnessMeter loudness = {};
        std::uint64_t restart_frame = 0;  ///< from which true peaks count
        float maximum_true_peak = 0.0F;   ///< since then
    };

    void take_outputs(MeasuredLevels& levels);
    [[nodiscard]] MeasuredLevels::Source take(Meter& meter) const;
    void take_records(Meter& meter, MeasuredLevels::Source& source) const;

    LevelTap& outputs_;
    double sample_rate_hz_;
    std::vector<Meter> meters_;  ///< by id
    bool watched_ = false;
    std::optional<std::uint64_t> begin_frame_;  ///< what was measured before it does not count
    std::uint64_t end_frame_ = 0;               ///< up to which levels were taken
};

}  // namespace rta
