// SPDX-License-Identifier: MIT
#include "api/events/telemetry.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "api/events/channel_levels.h"
#include "api/status_wire.h"
#include "engine/renderer.h"
#include "graph/frequency_response.h"
#include "rt/cycle_counter.h"
#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

using std::chrono::microseconds;

/// Taps hold 250 ms, and must be emptied before they are full.
constexpr microseconds kLongestInterval{50'000};
/// Levels are measured in quanta of frames: polling more often gains nothing.
constexpr microseconds kShortestInterval{2'000};

void write_loudness(const MeasuredLevels::Source& meter, v1::Loudness& message) {
    const dsp::Loudness& loudness = meter.loudness;
    if (loudness.momentary_lufs) message.set_momentary_lufs(*loudness.momentary_lufs);
    if (loudness.short_term_lufs) message.set_short_term_lufs(*loudness.short_term_lufs);
    if (loudness.integrated_lufs) message.set_integrated_lufs(*loudness.integrated_lufs);
    if (loudness.range_lu) message.set_range_lu(*loudness.range_lu);
    if (loudness.maximum_momentary_lufs) message.set_maximum_momentary_lufs(*loudness.maximum_momentary_lufs);
    if (loudness.maximum_short_term_lufs) message.set_maximum_short_term_lufs(*loudness.maximum_short_term_lufs);
    message.set_maximum_true_peak_db(level_db(static_cast<double>(meter.maximum_true_peak)));
    message.set_measured_s(loudness.measured_s);
}

void write_reduction(const GraphNode& node, const dsp::GainRange& gain, v1::GainReduction& message) {
    const bool bypassed = is_bypassed(node);
    message.set_largest_db(bypassed ? 0.0F : reduction_db(gain.smallest));
    message.set_current_db(bypassed ? 0.0F : reduction_db(gain.last));
}

}  // namespace

void Telemetry::subscribe(Subscriber& subscriber, const Topics& topics, TimePoint now) {
    leave(subscriber);
    // Poll first: the measurements so far belong to the earlier subscribers.
    if (watching_ && now - levels_polled_ >= kShortestInterval) {
        levels_polled_ = now;
        poll_levels();
    }
    if (topics.xruns) xruns_.push_back(&subscriber);
    if (topics.levels || topics.load) {
        const float rate_hz = nearest_rate(groups_, topics.rate_hz, maximum_rates_);
        Group& group = groups_[rate_hz];
        if (group.load.empty()) group.load_due = now + std::chrono::microseconds{std::lround(1e6 / rate_hz)};
        if (group.levels.empty()) group.levels_due.reset();
        if (topics.levels) group.levels.push_back(&subscriber);
        if (topics.load) group.load.push_back(&subscriber);
    }
    if (topics.node_loads) node_loads_subscribers_.push_back(&subscriber);
    update_watch();
    if (!node_loads_subscribers_.empty() && !timing_) begin_node_loads(now);
}

void Telemetry::unsubscribe(Subscriber& subscriber) {
    leave(subscriber);
    update_watch();
}

void Telemetry::leave(Subscriber& subscriber) {
    std::erase(xruns_, &subscriber);
    std::erase(node_loads_subscribers_, &subscriber);
    for (auto& [rate_hz, group] : groups_) {
        std::erase(group.levels, &subscriber);
        std::erase(group.load, &subscriber);
    }
    std::erase_if(groups_, [](const auto& entry) { return entry.second.levels.empty() && entry.second.load.empty(); });
}

/// Nodes measure, and are timed, only while there are subscribers.
void Telemetry::update_watch() {
    if (timing_ && node_loads_subscribers_.empty()) {
        timing_ = false;
        engine_.watch_node_times(false);
    }
    const bool wanted = std::ranges::any_of(groups_, [](const auto& entry) { return !entry.second.levels.empty(); });
    if (wanted == std::exchange(watching_, wanted)) return;
    engine_.watch_levels(wanted);
}

void Telemetry::xruns(const XrunCounts& counts, std::uint64_t frame) {
    if (xruns_.empty()) return;
    v1::Event event;
    event.mutable_xruns()->set_frame(frame);
    to_wire(counts, *event.mutable_xruns()->mutable_counts());
    deliver(event, xruns_);
}

void Telemetry::poll(TimePoint now) {
    if (watching_) {
        levels_polled_ = now;
        poll_levels();
    }
    poll_load(now);
    if (timing_) poll_node_loads(now);
}

double Telemetry::frames_of_interval(float rate_hz) const {
    return engine_.config().sample_rate_hz / static_cast<double>(rate_hz);
}

void Telemetry::poll_levels() {
    const MeasuredLevels taken = engine_.take_levels();
    if (taken.frame_count == 0) return;
    const auto frame = static_cast<double>(taken.frame);
    for (auto& [rate_hz, group] : groups_) {
        if (group.levels.empty()) continue;
        const double interval = frames_of_interval(rate_hz);
        if (!group.levels_due) {
            group.levels_due = frame - static_cast<double>(taken.frame_count) + interval;
            group.sums = {};
        }
        group.frame = taken.frame;
        group.sums.add(taken);
        if (frame < *group.levels_due) continue;
        send_levels(group, taken);
        *group.levels_due += interval;
        // After a delay of the control thread, skipped events are not sent later.
        if (*group.levels_due <= frame) group.levels_due = frame + interval;
    }
}

void Telemetry::send_levels(Group& group, const MeasuredLevels& taken) const {
    v1::Event event;
    write_levels(group, taken, *event.mutable_levels());
    deliver(event, group.levels);
    group.sums = {};
}

void Telemetry::write_levels(const Group& group, const MeasuredLevels& taken, v1::Levels& message) const {
    message.set_frame(group.frame);
    message.set_frame_count(static_cast<std::uint32_t>(group.sums.frame_count));
    for (const auto& channel : group.sums.outputs) write_channel(channel, *message.add_outputs());
    std::size_t channel_count = group.sums.outputs.size();
    for (const MeasuredLevels::Source* const meter : meters_by_name(engine_.graph(), taken)) {
        const GraphNode* const node = engine_.graph().find(meter->node);
        const auto& [id, channels, gain] = group.sums.meter(meter->node);
        channel_count += std::max<std::size_t>(channels.size(), 1);
        if (channel_count > kMaximumChannels) break;
        v1::MeterLevels& levels = *message.add_meters();
        levels.set_node(node->name());
        if (meter->gain) {
            write_reduction(*node, gain, *levels.mutable_gain_reduction());
            continue;
        }
        for (const auto& channel : channels) {
            v1::ChannelLevel& level = *levels.add_channels();
            write_channel(channel, level);
            level.set_true_peak_db(level_db(static_cast<double>(channel.true_peak)));
        }
        write_loudness(*meter, *levels.mutable_loudness());
    }
}

void Telemetry::poll_load(TimePoint now) {
    for (auto& [rate_hz, group] : groups_) {
        if (group.load.empty() || now < group.load_due) continue;
        v1::Event event;
        to_wire(daemon_.load_status(), engine_.renderer().frames(), *event.mutable_load());
        deliver(event, group.load);
        const microseconds interval{std::lround(1e6 / static_cast<double>(rate_hz))};
        group.load_due = std::max(group.load_due + interval, now + kShortestInterval);
    }
}

void Telemetry::begin_node_loads(TimePoint now) {
    timing_ = true;
    node_loads_due_ = now + kNodeLoadsInterval;
    timing_began_ = std::chrono::steady_clock::now();
    cycles_then_ = cycle_count();
    engine_.watch_node_times(true);
    node_loads_.begin(engine_.node_times());
}

/// Measured over the time since timing began: the longer, the more accurate.
double Telemetry::cycles_per_block() const {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - timing_began_;
    const EngineConfig& config = engine_.config();
    return static_cast<double>(cycle_count() - cycles_then_) / elapsed.count() * config.block_size /
           config.sample_rate_hz;
}

void Telemetry::poll_node_loads(TimePoint now) {
    if (now < node_loads_due_) return;
    node_loads_due_ = std::max(node_loads_due_ + kNodeLoadsInterval, now + kShortestInterval);
    v1::Event event;
    v1::NodeLoads& message = *event.mutable_node_loads();
    message.set_frame(engine_.renderer().frames());
    message.set_node_count(static_cast<std::uint32_t>(engine_.graph().node_count()));
    if (kHasCycleCounter) {
        for (const auto& load : node_loads_.heaviest(engine_.node_times(), cycles_per_block(), kMaximumNodeLoads)) {
            const GraphNode* const node = engine_.graph().find(load.node);
            if (node == nullptr) continue;
            v1::NodeLoad& reported = *message.add_nodes();
            reported.set_node(node->name());
            reported.set_type(std::string{node->description->type->name});
            reported.set_share(static_cast<float>(load.share));
            reported.set_average(static_cast<float>(load.average));
        }
    }
    deliver(event, node_loads_subscribers_);
}

std::optional<microseconds> Telemetry::interval(TimePoint now) const {
    if (groups_.empty() && !timing_) return std::nullopt;
    microseconds soonest = kLongestInterval;
    if (timing_) soonest = std::min(soonest, std::chrono::ceil<microseconds>(node_loads_due_ - now));
    const auto clock = static_cast<double>(engine_.renderer().frames());
    for (const auto& [rate_hz, group] : groups_) {
        if (!group.load.empty()) {
            soonest = std::min(soonest, std::chrono::ceil<microseconds>(group.load_due - now));
        }
        if (group.levels.empty()) continue;
        const double frames = group.levels_due ? *group.levels_due - clock : 0.0;
        soonest = std::min(soonest, microseconds{std::lround(frames * 1e6 / engine_.config().sample_rate_hz)});
    }
    return std::max(soonest, kShortestInterval);
}

}  // namespace rta::api
