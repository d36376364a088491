// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "dsp/gain_range.h"
#include "engine/measurements.h"
#include "graph/audio_graph.h"

namespace rta {

/// Levels since the previous event. [control]
struct LevelSums {
    struct Meter {
        NodeId node;
        std::vector<MeasuredLevels::Channel> channels{};
        dsp::GainRange gain{};
    };

    std::uint64_t frame_count = 0;
    std::vector<MeasuredLevels::Channel> outputs{};
    std::vector<Meter> meters{};  ///< by the ids of the nodes

    void add(const MeasuredLevels& taken);
    /// The node must be one that was added.
    [[nodiscard]] const Meter& meter(NodeId node) const;
};

/// Returns the meters of a measurement by the names of their nodes, without nodes that have been removed. [control]
[[nodiscard]] std::vector<const MeasuredLevels::Source*> meters_by_name(const AudioGraph& graph,
                                                                        const MeasuredLevels& taken);

}  // namespace rta
