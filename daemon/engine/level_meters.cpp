// SPDX-License-Identifier: MIT
#include "engine/level_meters.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "text/quoting.h"

namespace rta {
namespace {

void add_record(const LevelRecord& record, MeasuredLevels::Source& source) {
    if (record.channel == 0) {
        source.frame_count += record.frame_count;
        source.channels.resize(record.channel_count);
    }
    if (source.gain) source.gain->add(record.gain);
    if (record.channel_count == 0) return;
    MeasuredLevels::Channel& channel = source.channels[record.channel];
    channel.peak = std::max(channel.peak, record.peak);
    channel.true_peak = std::max(channel.true_peak, record.true_peak);
    channel.sum_of_squares += record.sum_of_squares;
    channel.frame_count += record.channel_frame_count;
}

/// Returns the frame from which on levels count, given the first record. The first quantum is incomplete, and starts at
/// a different frame for each meter: it does not count, unless the tap was enabled before the first block.
std::uint64_t begin_of_measurement(const LevelRecord& first) {
    return first.frame_count == first.end_frame ? 0 : first.end_frame;
}

void discard_levels(LevelTap& tap) {
    while (tap.take()) {
    }
    while (tap.take_loudness()) {
    }
}

}  // namespace

std::vector<LevelMeters::Meter> LevelMeters::prepare(const Draft& draft) {
    std::vector<Meter> meters;
    for (const AddedNode& node : draft.added) {
        if (node.instance == nullptr || node.instance->level_tap() == nullptr) continue;
        if (draft.graph.find(node.id) != nullptr) meters.push_back({node.instance});
    }
    meters_.reserve(meters_.size() + meters.size());
    return meters;
}

void LevelMeters::add(std::vector<Meter>&& meters) { std::ranges::move(meters, std::back_inserter(meters_)); }

void LevelMeters::keep_nodes_of(const AudioGraph& graph) {
    std::erase_if(meters_, [&](const Meter& meter) { return graph.find(meter.instance->id()) == nullptr; });
}

void LevelMeters::replace_all(const NodeInstances& fresh) {
    for (Meter& meter : meters_) meter = {fresh.at(meter.instance->id().value())};
}

void LevelMeters::prepare_to_play(const NodeInstance& instance) const {
    if (LevelTap* const tap = instance.level_tap()) tap->enable(watched_);
}

void LevelMeters::watch(bool watched) {
    watched_ = watched;
    begin_frame_.reset();
    discard_levels(outputs_);
    for (Meter& meter : meters_) {
        meter.held.reset();
        meter.loudness.pause();
        discard_levels(meter.tap());
        meter.tap().enable(watched);
    }
    // Last, so that all other taps measure every block that this one measures.
    outputs_.enable(watched);
}

MeasuredLevels LevelMeters::take() {
    MeasuredLevels levels;
    take_outputs(levels);
    levels.meters.reserve(meters_.size());
    for (Meter& meter : meters_) levels.meters.push_back(take(meter));
    return levels;
}

/// The outputs determine the end of the measurement: no later frames are taken from the meters.
void LevelMeters::take_outputs(MeasuredLevels& levels) {
    while (const auto record = outputs_.take()) {
        if (!begin_frame_) end_frame_ = *(begin_frame_ = begin_of_measurement(*record));
        if (record->end_frame <= *begin_frame_) continue;
        if (record->channel == 0) levels.frame_count += record->frame_count;
        end_frame_ = record->end_frame;
        add_record(*record, levels.outputs);
    }
    levels.frame = end_frame_;
}

MeasuredLevels::Source LevelMeters::take(Meter& meter) const {
    MeasuredLevels::Source source{.node = meter.instance->id(), .frame_count = 0, .channels = {}};
    LevelTap& tap = meter.tap();
    source.channels.resize(tap.maximum_channels());
    if (meter.reduces_gain()) source.gain.emplace();
    take_records(meter, source);
    while (const auto step = tap.take_loudness()) meter.loudness.add(*step);
    source.loudness = meter.loudness.loudness();
    source.maximum_true_peak = meter.maximum_true_peak;
    return source;
}

void LevelMeters::take_records(Meter& meter, MeasuredLevels::Source& source) const {
    while (true) {
        const auto record = meter.held ? std::exchange(meter.held, {}) : meter.tap().take();
        if (!record) return;
        if (!begin_frame_ || record->end_frame > end_frame_) {
            meter.held = record;
            return;
        }
        const std::uint64_t begin_frame = record->end_frame - record->frame_count;
        if (begin_frame >= *begin_frame_) add_record(*record, source);
        if (begin_frame >= meter.restart_frame) {
            meter.maximum_true_peak = std::max(meter.maximum_true_peak, record->true_peak);
        }
    }
}

Expected<void> LevelMeters::restart(std::span<const std::string> names, const AudioGraph& graph, std::uint64_t frame) {
    std::vector<Meter*> restarted;
    for (const std::string& name : names) {
        const auto node = graph.require(name);
        if (!node) return std::unexpected(node.error());
        const auto meter =
            std::ranges::find(meters_, (*node)->id, [](const Meter& other) { return other.instance->id(); });
        if (meter == meters_.end() || meter->reduces_gain()) {
            return fail(ErrorCode::failed_precondition, "node " + quoted(name) + " of type " +
                                                            std::string{(*node)->description->type->name} +
                                                            " does not measure loudness: expected a meter");
        }
        restarted.push_back(&*meter);
    }
    if (names.empty()) {
        for (Meter& meter : meters_) restarted.push_back(&meter);
    }
    const double steps = static_cast<double>(frame) * dsp::kLoudnessStepsPerSecond / sample_rate_hz_;
    for (Meter* const meter : restarted) {
        meter->loudness.restart(static_cast<std::uint64_t>(std::ceil(steps)));
        meter->restart_frame = frame;
        meter->maximum_true_peak = 0.0F;
    }
    return {};
}

}  // namespace rta
