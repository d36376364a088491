// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/measurements.h"
#include "io/offline_output.h"

namespace rta::app {

/// Levels of an `output` or `meter` node over a whole rendering.
struct NodeLevels {
    std::string node;
    std::optional<std::uint32_t> first_channel;  ///< of an output, starting at 1
    io::ProgrammeLevels levels;
};

/// Returns whether a node measures levels. Nodes that report a gain reduction do not.
[[nodiscard]] bool has_meters(const MeasuredLevels& measured);

/// Adds up what the meters of the graph measure while it is rendered.
class MeterTotals {
 public:
    /// Adds measurements, and counts all that start before `kept_until`: the frame of the engine up to which the frames
    /// are in the file. The others are counted when a later call reports that their frames are in the file, too.
    void add(MeasuredLevels measured, std::uint64_t kept_until);
    /// Returns the levels of all meters that are still in the graph, in the order of their names.
    [[nodiscard]] std::vector<NodeLevels> levels(const AudioGraph& graph) const;

 private:
    void count(const MeasuredLevels& measured);

    std::deque<MeasuredLevels> waiting_;                   ///< until their frames are in the file
    std::map<std::uint64_t, io::ProgrammeLevels> meters_;  ///< by the id of the node
};

/// The result of `rtad render`.
struct RenderReport {
    std::string file;
    io::FileFormat format = io::FileFormat::wav;
    std::uint32_t sample_rate_hz = 0;
    std::uint32_t channels = 0;
    std::uint64_t frames = 0;
    std::uint64_t latency_frames = 0;  ///< of the graph
    bool aligned = false;              ///< the latency was removed
    std::uint64_t clipped_samples = 0;
    std::vector<NodeLevels> outputs;
    std::vector<NodeLevels> meters;
    std::vector<std::string> notices;
};

/// Returns the report as lines for people.
[[nodiscard]] std::string report_text(const RenderReport& report);
/// Returns the report as one line of JSON. Levels have the names and units of the protocol.
[[nodiscard]] std::string report_json(const RenderReport& report);

}  // namespace rta::app
