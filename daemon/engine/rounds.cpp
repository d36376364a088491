// SPDX-License-Identifier: MIT
#include "engine/rounds.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <limits>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>

#include "engine/acyclic_steps.h"
#include "engine/filling.h"
#include "text/sort_range.h"

namespace rta {
namespace {

/// Maximum number of nodes that are not in the graph, unless the graph has more nodes.
constexpr std::size_t kMaximumLeaving = 1024;
/// Maximum number of units. A waiting unit costs traversals of the graph whenever it is tried.
constexpr std::size_t kMaximumUnits = 64;

constexpr std::string_view kWouldDelay =
    "an earlier change waits to be heard, and this one would delay it; nothing was changed, try again";
constexpr std::string_view kTooManyLeave =
    "too many removed nodes are still fading out; nothing was changed, try again";
constexpr std::string_view kTooManyWait =
    "too many transactions wait to be heard, and this one would wait, too; nothing was changed, try again";
constexpr std::string_view kTooManyParameters =
    "an earlier change waits to be heard, and together they change too many parameters for one block; nothing was "
    "changed, try again";

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Commits

Expected<Rounds::Step> Rounds::commit(Change change, const Moment& now) {
    const std::size_t leaving_before = sound_.leaving_count();
    const std::size_t count_before = committed_count_;
    ChangeUnit unit = unit_of(change);
    latest_revision_ = change.revisions.empty() ? 0 : change.revisions.back();
    latest_combs_ = false;
    const std::vector<PortRef> ports = unit.ports;
    const bool may_be_refused = !change.must_be_taken;
    join(std::move(unit), change.graph);
    take_in(std::move(change.connections.connections), change.graph);
    if (change.renames) sound_.read_names();
    Step result = step(change.graph, now, change.instance);
    result.renames = change.renames;
    result.plan = result.plan || change.renames;

    const auto waiting = std::ranges::find_if(units_, [this](const ChangeUnit& other) { return is_latest(other); });
    const std::size_t leaving = sound_.leaving_count();
    const std::string_view why = waiting == units_.end() || !may_be_refused ? "" : why_not_waiting(*waiting);
    if (!why.empty()) return refuse(why);
    const bool changes_presence = aims_presence_ || waiting != units_.end();
    const std::uint64_t starts = waiting == units_.end() ? now.frame : waiting->heard_frame;
    if (may_be_refused && changes_presence && delays_another(ports, starts, now)) return refuse(kWouldDelay);
    if (may_be_refused && leaving > leaving_before &&
        leaving > std::max({kMaximumLeaving, count_before, committed_count_})) {
        return refuse(kTooManyLeave);
    }
    const bool waits = waiting != units_.end() && waiting->promised_frame > now.frame;
    latest_waits_frames_ = waits ? waiting->promised_frame - now.frame : 0;
    return result;
}

std::uint64_t Rounds::frames_to_wait(Change change, const Moment& now) const {
    Rounds quiet = *this;
    quiet.units_.clear();
    quiet.reserved_frame_.reset();
    quiet.round_.end_frame = now.frame;
    quiet.end_round(now.frame);
    return quiet.commit(std::move(change), now) ? quiet.latest_waits_frames() : 0;
}

void Rounds::take_in(std::vector<CommittedConnection> connections, const AudioGraph& graph) {
    has_delays_ = graph.latency_compensation() && !std::ranges::all_of(connections, [](const auto& connection) {
                      return connection.delay_frames == 0;
                  });
    committed_ = std::make_shared<const std::vector<CommittedConnection>>(std::move(connections));
    const bool same_nodes =
        graph.node_count() == committed_count_ && (graph.node_ids().empty() || graph.node_ids().back() <= newest_node_);
    entered_ = entered_ && same_nodes;
    committed_sinks_.assign(graph.device_sinks().begin(), graph.device_sinks().end());
    committed_count_ = graph.node_count();
    if (!graph.node_ids().empty()) newest_node_ = std::max(newest_node_, graph.node_ids().back());
}

/// Returns why the unit of the latest commit must not wait; empty if it may.
std::string_view Rounds::why_not_waiting(const ChangeUnit& unit) const {
    if (unit.heard_frame > unit.promised_frame) return kWouldDelay;
    if (unit.revisions.size() > 1 && unit.parameters.size() > lengths_.most_parameters) return kTooManyParameters;
    return units_.size() > kMaximumUnits ? kTooManyWait : "";
}

/// Returns whether another unit that is not heard yet waits for nodes to fill, and would have to wait for longer than
/// promised because these ports change at the frame `starts`: nodes fill again when their inputs change.
bool Rounds::delays_another(std::span<const PortRef> ports, std::uint64_t starts, const Moment& now) const {
    const auto may_be_delayed = [&](const ChangeUnit& unit) { return !unit.revisions.empty() && !is_latest(unit); };
    if (ports.empty() || std::ranges::none_of(units_, may_be_delayed)) return false;
    const std::vector<PortRef> prepared = sound_.unheard_ports(ports);
    if (prepared.empty()) return false;
    const std::vector<bool> fed = fed_by(sound_, prepared);
    const std::uint64_t heard = std::max({starts, after_round(now), filled_frame(sound_, prepared)}) +
                                preparation_frames(prepared) + latest_start();
    return std::ranges::any_of(units_, [&](const ChangeUnit& unit) {
        return may_be_delayed(unit) && unit.promised_frame != 0 && unit.promised_frame < heard &&
               unit.waits_for(fed, sound_, *committed_);
    });
}

ChangeUnit Rounds::unit_of(const Change& change) const {
    ChangeUnit unit;
    unit.revisions = change.revisions;
    unit.not_before = change.not_before;
    unit.gain_frames = change.gain_frames;
    unit.ports = change.connections.ports;
    std::vector<NodeId> sinks;
    std::ranges::set_symmetric_difference(committed_sinks_, change.graph.device_sinks(), std::back_inserter(sinks));
    for (const NodeId sink : sinks) unit.ports.push_back({sink, kDevicePort});
    sort_range(unit.ports);
    const std::span<const NodeId> ids = change.graph.node_ids();
    unit.nodes.assign(std::ranges::upper_bound(ids, newest_node_), ids.end());
    for (const ParameterChange& parameter : change.parameters)
        unit.parameters.insert_or_assign({parameter.node, parameter.parameter}, parameter);
    return unit;
}

/// Adds a unit, merged with those that must start together with it.
void Rounds::join(ChangeUnit unit, const AudioGraph& graph) {
    const bool removes = graph.node_count() != committed_count_ + unit.nodes.size();
    const auto loses_a_node = [&](const ChangeUnit& waiting) {
        return removes && std::ranges::any_of(waiting.parameters, [&](const auto& entry) {
                   return graph.find(entry.first.first) == nullptr;
               });
    };
    std::vector<bool> joins;
    joins.reserve(units_.size() + 1);
    for (const ChangeUnit& waiting : units_)
        joins.push_back(!waiting.started && (waiting.touches(unit) || loses_a_node(waiting)));
    units_.push_back(std::move(unit));
    joins.push_back(true);
    merge_units(units_, joins);
}

std::uint32_t Rounds::restart(Change change, const Moment& now) {
    std::vector<std::uint64_t> revisions = std::move(change.revisions);
    for (const ChangeUnit& unit : units_)
        revisions.insert(revisions.end(), unit.revisions.begin(), unit.revisions.end());
    units_.clear();
    take_in(std::move(change.connections.connections), change.graph);
    sound_ = SoundingGraph::of(
        change.graph, *committed_,
        {.serial = now.serial, .frame = now.frame, .fade_frames = fade_in_frames(now), .instance = change.instance});
    entered_ = true;
    round_ = {.number = round_.number + 1, .serial = now.serial, .sent_frame = now.frame, .frames = 0, .running = true};
    fill_serial_ = now.serial;
    if (!revisions.empty()) heard_.push_back({now.serial, std::move(revisions)});
    std::uint64_t filled_from = now.frame;
    for (const SoundingGraph::Node& node : sound_.nodes) {
        if (node.is_sink()) filled_from = std::max(filled_from, node.filled_from);
    }
    return static_cast<std::uint32_t>(filled_from - now.frame);
}

// ---------------------------------------------------------------------------------------------------------------------
// Time

void Rounds::adopted(std::uint64_t serial, std::uint64_t frame,
                     const std::function<void(std::uint64_t revision)>& heard) {
    const std::uint64_t first_serial = std::exchange(adopted_serial_, serial) + 1;
    if (round_.running && !round_.end_frame && round_.serial <= serial)
        round_.end_frame = frame == 0 ? 0 : frame + round_.frames;
    for (GainRamp& ramp : gain_ramps_) {
        if (ramp.serial <= serial && !ramp.end_frame) ramp.end_frame = frame == 0 ? 0 : frame + ramp.frames;
    }
    if (fill_serial_ >= first_serial) fill(sound_, first_serial, frame);
    const bool glides = start_glides(sound_, first_serial, frame);
    if (fill_serial_ >= first_serial || glides) try_all_again();
    if (glides) glide_end_frame_ = next_glide_end(sound_, adopted_serial_);
    while (!heard_.empty() && heard_.front().serial <= serial) {
        for (const std::uint64_t revision : heard_.front().revisions) heard(revision);
        heard_.pop_front();
    }
}

bool Rounds::due(std::uint64_t frame) const {
    if (round_.running && (!round_.end_frame || *round_.end_frame > frame)) return false;
    if (round_.running || follow_up_due(frame) || (glide_end_frame_ && *glide_end_frame_ <= frame)) return true;
    bool in_order = true;  // see end_gains()
    for (const GainRamp& ramp : gain_ramps_) {
        in_order = in_order && ramp.has_ended(frame);
        if (ramp.has_ended(frame) && (ramp.drains || (in_order && follow_up_of(ramp) <= frame))) return true;
    }
    return std::ranges::any_of(units_, [&](const ChangeUnit& unit) { return unit.retry_frame <= frame; });
}

bool Rounds::unfinished() const {
    return round_.running || sound_.glides() || follow_up_frame_ || !gain_ramps_.empty() || !units_.empty() ||
           !heard_.empty();
}

/// Gains rest in the order of their plans, which the fade of a recall may hold up for minutes. Nodes leave as soon as
/// their own inputs have faded out.
void Rounds::end_gains(std::uint64_t frame) {
    for (GainRamp& ramp : gain_ramps_) {
        if (ramp.has_ended(frame) && std::exchange(ramp.drains, false)) follow_up_from(*ramp.end_frame);
    }
    while (!gain_ramps_.empty() && gain_ramps_.front().has_ended(frame)) {
        ended_gains_ = gain_ramps_.front().serial;
        follow_up_from(follow_up_of(gain_ramps_.front()));
        gain_ramps_.pop_front();
    }
    // The last one of those that have ended stands for those before it.
    const auto both_ended = [&](const GainRamp& a, const GainRamp& b) {
        return a.has_ended(frame) && b.has_ended(frame);
    };
    const auto kept = std::unique(gain_ramps_.rbegin(), gain_ramps_.rend(), both_ended);
    gain_ramps_.erase(gain_ramps_.begin(), kept.base());
}

std::vector<std::uint64_t> Rounds::draining() const {
    std::vector<std::uint64_t> serials;
    for (const GainRamp& ramp : gain_ramps_) {
        if (ramp.drains) serials.push_back(ramp.serial);
    }
    return serials;
}

void Rounds::end_round(std::uint64_t frame) {
    end_gains(frame);
    if (!round_.running || !round_.end_frame || *round_.end_frame > frame) return;
    round_.running = false;
    if (sound_.settle()) follow_up_from(frame);
    std::erase_if(round_.unheard, [&](const PortRef& port) { return !sound_.contains(port.node); });
    if (!round_.unheard.empty()) refill(sound_, std::exchange(round_.unheard, {}), *round_.end_frame);
    try_all_again();
}

/// A round that no block has begun yet may be extended, unless it prepares nodes that are not heard.
bool Rounds::may_start_round(const Moment& now) const {
    if (would_overrun(now)) return false;
    return !round_.running || (!round_.end_frame && round_.sent_frame == now.frame && round_.unheard.empty());
}

CompileRequest Rounds::request() const {
    CompileRequest request = sound_.request(ended_gains_);
    request.block_size = lengths_.block_frames;
    request.gain_fade_frames = lengths_.gain_frames;
    request.round = round_.number;
    request.round_frames = round_.frames;
    return request;
}

}  // namespace rta
