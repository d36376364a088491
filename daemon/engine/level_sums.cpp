// SPDX-License-Identifier: MIT
#include "engine/level_sums.h"

#include <algorithm>
#include <string_view>

#include "engine/level_values.h"
#include "text/sort_range.h"

namespace rta {

const LevelSums::Meter& LevelSums::meter(NodeId node) const {
    return *std::ranges::lower_bound(meters, node, {}, &Meter::node);
}

void LevelSums::add(const MeasuredLevels& taken) {
    frame_count += taken.frame_count;
    add_channels(taken.outputs.channels, outputs);
    for (const MeasuredLevels::Source& meter : taken.meters) {
        const auto place = std::ranges::lower_bound(meters, meter.node, {}, &Meter::node);
        Meter& sum =
            place != meters.end() && place->node == meter.node ? *place : *meters.insert(place, {.node = meter.node});
        add_channels(meter.channels, sum.channels);
        if (meter.gain && meter.frame_count != 0) sum.gain.add(*meter.gain);
    }
}

std::vector<const MeasuredLevels::Source*> meters_by_name(const AudioGraph& graph, const MeasuredLevels& taken) {
    std::vector<const MeasuredLevels::Source*> meters;
    for (const MeasuredLevels::Source& meter : taken.meters) {
        if (graph.find(meter.node) != nullptr) meters.push_back(&meter);
    }
    sort_range(meters, {}, [&](const auto* meter) -> std::string_view { return graph.find(meter->node)->name(); });
    return meters;
}

}  // namespace rta
