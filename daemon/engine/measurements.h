// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "dsp/gain_range.h"
#include "dsp/loudness.h"
#include "graph/audio_graph.h"
#include "graph/port_tap.h"

namespace rta {

/// Latency of the graph, caused by the look-ahead of its nodes.
struct LatencyReport {
    struct Node {
        NodeId node;
        std::uint32_t own_frames;     ///< latency that the node adds; not 0
        std::uint64_t output_frames;  ///< latency at the outputs of the node
    };
    std::uint64_t output_frames = 0;  ///< latency at the device output, on the longest path
    std::vector<Node> nodes{};        ///< nodes that add latency, by id
};

/// Levels measured between two calls of Engine::take_levels().
struct MeasuredLevels {
    struct Channel {
        float peak = 0.0F;
        float true_peak = 0.0F;  ///< meters only; may arrive up to 16 frames after the peak
        double sum_of_squares = 0.0;
        std::uint64_t frame_count = 0;  ///< frames measured; fewer than the source's if the channel was added later
    };
    struct Source {
        NodeId node;                              ///< default value for the device outputs
        std::uint64_t frame_count = 0;            ///< frames measured; fewer if the node was added later or muted
        std::vector<Channel> channels;            ///< channels present at the end
        dsp::Loudness loudness = {};              ///< meters only: current loudness of all channels together
        float maximum_true_peak = 0.0F;           ///< meters only: over all channels, since the loudness was restarted
        std::optional<dsp::GainRange> gain = {};  ///< nodes that report gain reduction only; 1 if nothing was measured
    };

    std::uint64_t frame = 0;        ///< the engine's clock after the last measured frame
    std::uint64_t frame_count = 0;  ///< 0: no new measurements
    Source outputs;                 ///< samples sent to the device
    std::vector<Source> meters;     ///< nodes that measure levels or report gain reduction, by id
};

/// An output port whose signal is measured.
struct TappedPort {
    PortRef port;
    std::shared_ptr<PortTap> tap;
    [[nodiscard]] bool operator==(const TappedPort&) const = default;
};

/// Processing time of a node in the blocks in which it was timed, since the node was added.
struct NodeTime {
    NodeId node;
    std::uint64_t cycles = 0;  ///< as counted by cycle_count()
    std::uint64_t block_count = 0;
};

struct EngineStatistics {
    std::uint64_t plans_made = 0;
    std::uint64_t plans_freed = 0;
    std::uint64_t plans_alive = 0;
    std::uint64_t sounding_nodes = 0;     ///< in the latest plan: those of the graph, and those that fade out
    std::uint64_t telemetry_dropped = 0;  ///< events lost because the telemetry ring was full
};

}  // namespace rta
