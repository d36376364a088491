// SPDX-License-Identifier: MIT
#include "engine/rounds.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "engine/acyclic_steps.h"

namespace rta {
namespace {

/// Nodes that are not in the graph may be this many, or as many as the graph has.
constexpr std::size_t kMaximumLeaving = 1024;
/// Units. Each one that waits costs passes over the graph when it is tried.
constexpr std::size_t kMaximumUnits = 64;
/// Nothing but the end of a round, of another unit, or a new plan lets the unit start.
constexpr std::uint64_t kUntilProgress = std::numeric_limits<std::uint64_t>::max();
/// Rounds that a unit which has started, or the preparation of one, is likely to need.
constexpr std::uint32_t kRoundsOfAnOverlap = 4;

/// Glides change the pitch by 1 %, or 17 cents.
constexpr std::uint32_t kGlideFramesPerFrame = 100;
/// The load of all signals that may glide at the same time. A frame of a signal takes about 33 ns, and 11 ns more for each
/// channel: a channel counts 1, a signal 3 more. 128 is 7 % of a block at 48 kHz.
constexpr std::uint32_t kMostGlideLoad = 128;

constexpr std::string_view kWouldDelay =
    "an earlier change of the same ports waits to be heard, and this one would delay it; nothing was changed, try again";
constexpr std::string_view kTooManyLeave =
    "too many removed nodes are still fading out; nothing was changed, try again";
constexpr std::string_view kTooManyWait =
    "too many transactions wait to be heard, and this one would wait, too; nothing was changed, try again";
constexpr std::string_view kTooManyParameters =
    "an earlier change waits to be heard, and together they change too many parameters for one block; nothing was "
    "changed, try again";

bool playing(const Hearing& hearing) { return hearing.playing(); }
bool wanted(const Hearing& hearing) { return hearing.wanted; }

bool acyclic(const SoundingGraph& sound, SoundingGraph::Counts counts) {
    return topological_order(static_cast<std::uint32_t>(sound.nodes.size()), sound.arcs(counts)).has_value();
}

bool overlap(std::span<const PortRef> a, std::span<const PortRef> b) {
    for (auto left = a.begin(), right = b.begin(); left != a.end() && right != b.end();) {
        if (*left == *right) return true;
        ++(*left < *right ? left : right);
    }
    return false;
}

/// Calls `different(port)` for each port at which the sorted lists differ, in order.
template <typename Different>
void compare_ports(std::span<const CommittedConnection> before, std::span<const CommittedConnection> after,
                   Different different) {
    const auto take_port = [](std::span<const CommittedConnection>& list, PortRef port) {
        const auto end = std::ranges::find_if(list, [&](const auto& c) { return c.key.to != port; });
        const auto taken = list.first(static_cast<std::size_t>(end - list.begin()));
        list = list.subspan(taken.size());
        return taken;
    };
    while (!before.empty() || !after.empty()) {
        const PortRef port = before.empty()  ? after.front().key.to
                             : after.empty() ? before.front().key.to
                                             : std::min(before.front().key.to, after.front().key.to);
        if (!std::ranges::equal(take_port(before, port), take_port(after, port))) different(port);
    }
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Commits

Expected<Rounds::Step> Rounds::commit(Change change, const Moment& now) {
    const std::size_t leaving_before = sound_.leaving_count();
    const std::size_t count_before = committed_count_;
    Unit unit = unit_of(change);
    latest_revision_ = change.revisions.empty() ? 0 : change.revisions.back();
    latest_combs_ = false;
    join(std::move(unit), change.graph);
    take_in(std::move(change.connections), change.graph);
    if (change.renames) sound_.read_names();
    Step result = step(change.graph, now, change.instance);
    result.send = result.send || change.renames;

    const auto waiting = std::ranges::find_if(units_, [this](const Unit& other) { return is_latest(other); });
    const std::size_t leaving = sound_.leaving_count();
    if (const std::string_view why = waiting == units_.end() ? "" : why_not_waiting(*waiting); !why.empty()) {
        return refuse(why);
    }
    if (leaving > leaving_before && leaving > std::max({kMaximumLeaving, count_before, committed_count_})) {
        return refuse(kTooManyLeave);
    }
    const bool waits = waiting != units_.end() && waiting->promised_frame > now.frame;
    latest_waits_frames_ = waits ? waiting->promised_frame - now.frame : 0;
    return result;
}

void Rounds::take_in(std::vector<CommittedConnection> connections, const AudioGraph& graph) {
    committed_ = std::move(connections);
    committed_sinks_.assign(graph.device_sinks().begin(), graph.device_sinks().end());
    committed_count_ = graph.node_count();
    if (!graph.node_ids().empty()) newest_node_ = std::max(newest_node_, graph.node_ids().back());
}

/// Returns why the unit of the latest commit may not wait; empty: it may.
std::string_view Rounds::why_not_waiting(const Unit& unit) const {
    if (unit.heard_frame > unit.promised_frame) return kWouldDelay;
    if (unit.revisions.size() > 1 && unit.parameters.size() > lengths_.most_parameters) return kTooManyParameters;
    return units_.size() > kMaximumUnits ? kTooManyWait : "";
}

std::unexpected<Error> Rounds::refuse(std::string_view why) {
    refused_until_progress_ = true;
    return fail(ErrorCode::resource_exhausted, std::string{why});
}

Rounds::Unit Rounds::unit_of(const Change& change) const {
    Unit unit;
    unit.revisions = change.revisions;
    compare_ports(committed_, change.connections, [&](PortRef port) { unit.ports.push_back(port); });
    std::vector<NodeId> sinks;
    std::ranges::set_symmetric_difference(committed_sinks_, change.graph.device_sinks(), std::back_inserter(sinks));
    for (const NodeId sink : sinks) unit.ports.push_back({sink, kDevicePort});
    std::ranges::sort(unit.ports);
    const std::span<const NodeId> ids = change.graph.node_ids();
    unit.nodes.assign(std::ranges::upper_bound(ids, newest_node_), ids.end());
    for (const ParameterChange& parameter : change.parameters)
        unit.parameters.insert_or_assign({parameter.node, parameter.parameter}, parameter);
    return unit;
}

bool Rounds::is_latest(const Unit& unit) const {
    return latest_revision_ != 0 && std::ranges::binary_search(unit.revisions, latest_revision_);
}

/// Returns whether `later` would tear `earlier` apart, or the reverse: they change the same ports or parameters, or one
/// sets a parameter of a node that the other adds.
bool Rounds::touch(const Unit& earlier, const Unit& later) {
    if (overlap(earlier.ports, later.ports)) return true;
    return std::ranges::any_of(later.parameters, [&](const auto& entry) {
        return earlier.parameters.contains(entry.first) || std::ranges::binary_search(earlier.nodes, entry.first.first);
    });
}

/// Adds a unit, merged with those that must start together with it.
void Rounds::join(Unit unit, const AudioGraph& graph) {
    const bool removes = graph.node_count() != committed_count_ + unit.nodes.size();
    const auto loses_a_node = [&](const Unit& waiting) {
        return removes && std::ranges::any_of(waiting.parameters, [&](const auto& entry) {
                   return graph.find(entry.first.first) == nullptr;
               });
    };
    std::vector<bool> joins;
    joins.reserve(units_.size() + 1);
    for (const Unit& waiting : units_)
        joins.push_back(!waiting.started && (touch(waiting, unit) || loses_a_node(waiting)));
    units_.push_back(std::move(unit));
    joins.push_back(true);
    merge(joins);
}

/// Merges the marked units into the first of them. They keep what was promised to them.
void Rounds::merge(const std::vector<bool>& marked) {
    std::vector<Unit> merged;
    std::optional<std::size_t> first;
    for (std::size_t i = 0; i < units_.size(); ++i) {
        if (marked[i] && first) {
            merged[*first].absorb(std::move(units_[i]));
        } else {
            if (marked[i]) first = merged.size();
            merged.push_back(std::move(units_[i]));
        }
    }
    units_ = std::move(merged);
}

void Rounds::Unit::absorb(Unit later) {
    const auto unite = [](auto& mine, const auto& others) {
        std::remove_reference_t<decltype(mine)> all;
        std::ranges::set_union(mine, others, std::back_inserter(all));
        mine = std::move(all);
    };
    unite(ports, later.ports);
    unite(nodes, later.nodes);
    unite(revisions, later.revisions);
    later.parameters.merge(std::move(parameters));  // keeps the newer ones
    parameters = std::move(later.parameters);
    if (promised_frame == 0 || (later.promised_frame != 0 && later.promised_frame < promised_frame))
        promised_frame = later.promised_frame;
    heard_frame = retry_frame = 0;
}

/// Merges units that wait and whose ports lie on a common cycle of what sounds and what is committed. Each of them alone
/// might close it, and none could start. What is left closes no cycle in whichever order it starts.
void Rounds::merge_loops() {
    const auto waits = [](const Unit& unit) { return !unit.started; };
    if (std::ranges::count_if(units_, waits) < 2) return;
    const auto node_count = static_cast<std::uint32_t>(sound_.nodes.size());
    std::vector<Arc> arcs = sound_.arcs(playing);
    for (const Unit& unit : units_ | std::views::filter(waits)) {
        for (const PortRef& port : unit.ports) {
            if (!sound_.contains(port.node)) continue;
            const std::uint32_t to = sound_.index_of(port.node);
            for (const auto& connection :
                 std::ranges::equal_range(committed_, port, {}, [](const auto& c) { return c.key.to; }))
                arcs.push_back({sound_.index_of(connection.key.from.node), to});
        }
    }
    if (topological_order(node_count, arcs)) return;
    const std::vector<bool> region = cyclic_region(node_count, arcs);
    std::vector<bool> marked;
    marked.reserve(units_.size());
    for (const Unit& unit : units_) {
        marked.push_back(waits(unit) && std::ranges::any_of(unit.ports, [&](const PortRef& port) {
                             return port.port != kDevicePort && sound_.contains(port.node) &&
                                    region[sound_.index_of(port.node)];
                         }));
    }
    merge(marked);
}

std::uint32_t Rounds::restart(Change change, const Moment& now) {
    std::vector<std::uint64_t> revisions = std::move(change.revisions);
    for (const Unit& unit : units_) revisions.insert(revisions.end(), unit.revisions.begin(), unit.revisions.end());
    units_.clear();
    take_in(std::move(change.connections), change.graph);
    sound_ =
        SoundingGraph::of(change.graph, committed_,
                          {.serial = now.serial, .frame = now.frame, .fade_frames = 0, .instance = change.instance});
    round_ = {.number = round_.number + 1, .serial = now.serial, .sent_frame = now.frame, .frames = 0, .running = true};
    fill_serial_ = now.serial;
    if (!revisions.empty()) heard_.push_back({now.serial, std::move(revisions)});
    std::uint64_t filled_from = now.frame;
    for (const SoundingGraph::Node& node : sound_.nodes) {
        if (node.is_sink()) filled_from = std::max(filled_from, node.filled_from);
    }
    return static_cast<std::uint32_t>(filled_from - now.frame);
}

void Rounds::parameter_set(NodeId node, std::uint32_t parameter) {
    for (Unit& unit : units_) unit.parameters.erase({node, parameter});
}

// ---------------------------------------------------------------------------------------------------------------------
// Time

void Rounds::adopted(std::uint64_t serial, std::uint64_t frame,
                     const std::function<void(std::uint64_t revision)>& heard) {
    const std::uint64_t first_serial = std::exchange(adopted_serial_, serial) + 1;
    if (round_.running && !round_.end_frame && round_.serial <= serial)
        round_.end_frame = frame == 0 ? 0 : frame + round_.frames;
    for (GainRamp& ramp : gain_ramps_) {
        if (ramp.serial <= serial && !ramp.end_frame) ramp.end_frame = frame == 0 ? 0 : frame + lengths_.gain_frames;
    }
    if (fill_serial_ >= first_serial) sound_.fill(first_serial, frame);
    const bool glides = sound_.start_glides(first_serial, frame);
    if (fill_serial_ >= first_serial || glides) try_all_again();
    if (glides) glide_end_frame_ = sound_.next_glide_end(adopted_serial_);
    while (!heard_.empty() && heard_.front().serial <= serial) {
        for (const std::uint64_t revision : heard_.front().revisions) heard(revision);
        heard_.pop_front();
    }
}

bool Rounds::due(std::uint64_t frame) const {
    if (round_.running && (!round_.end_frame || *round_.end_frame > frame)) return false;
    if (round_.running || follow_up_due_ || (glide_end_frame_ && *glide_end_frame_ <= frame)) return true;
    if (!gain_ramps_.empty() && gain_ramps_.front().end_frame && *gain_ramps_.front().end_frame <= frame) return true;
    return std::ranges::any_of(units_, [&](const Unit& unit) { return unit.retry_frame <= frame; });
}

bool Rounds::unfinished() const {
    return round_.running || sound_.glides() || follow_up_due_ || !gain_ramps_.empty() || !units_.empty() ||
           !heard_.empty();
}

void Rounds::end_round(std::uint64_t frame) {
    while (!gain_ramps_.empty() && gain_ramps_.front().end_frame && *gain_ramps_.front().end_frame <= frame) {
        ended_gains_ = gain_ramps_.front().serial;
        gain_ramps_.pop_front();
        follow_up_due_ = true;
    }
    if (!round_.running || !round_.end_frame || *round_.end_frame > frame) return;
    round_.running = false;
    follow_up_due_ = sound_.settle() || follow_up_due_;
    std::erase_if(round_.unheard, [&](const PortRef& port) { return !sound_.contains(port.node); });
    if (!round_.unheard.empty()) sound_.refill(std::exchange(round_.unheard, {}), *round_.end_frame);
    try_all_again();
}

/// A round that no block has begun yet may be extended, unless it prepares nodes that are not heard.
bool Rounds::may_start_round(const Moment& now) const {
    return !round_.running || (!round_.end_frame && round_.sent_frame == now.frame && round_.unheard.empty());
}

/// A node that no block has run yet has no inputs that could fade. A plan with parameters is rendered before the next one
/// is adopted.
bool Rounds::is_fresh(NodeId node) const {
    return sound_.find(node)->entered_in > std::max(adopted_serial_, parameters_serial_);
}

// ---------------------------------------------------------------------------------------------------------------------
// Starting units

Rounds::Step Rounds::advance(const AudioGraph& graph, const Moment& now,
                             const std::function<std::shared_ptr<NodeInstance>(NodeId)>& instance) {
    latest_revision_ = 0;
    Step result = step(graph, now, instance);
    // What needed no plan is reported with the next command.
    result.send = result.send || (!heard_.empty() && heard_.back().serial == now.serial);
    return result;
}

Rounds::Step Rounds::step(const AudioGraph& graph, const Moment& now,
                          const std::function<std::shared_ptr<NodeInstance>(NodeId)>& instance) {
    end_round(now.frame);
    end_glides(now.frame);
    if (now.frame == 0) sound_.settle_before_start();
    const std::size_t count_before = sound_.nodes.size();
    const bool fills = sound_.enter(graph, committed_,
                                    {.serial = now.serial,
                                     .frame = likely_adoption(now),
                                     .fade_frames = now.frame == 0 ? 0 : lengths_.round_frames,
                                     .instance = instance});
    aims_presence_ = aims_sink_ = aims_gain_ = aims_glide_ = false;
    aims_unheard_.clear();
    merge_loops();
    Step result;
    bool starts = false;
    for (Unit& unit : units_) starts = try_unit(unit, now, result) || starts;
    const auto ended = std::erase_if(units_, [](const Unit& unit) { return unit.started && unit.left.empty(); });
    if (ended != 0) try_all_again();
    return_glides(now);
    glide_end_frame_ = sound_.next_glide_end(adopted_serial_);
    const std::size_t count = sound_.nodes.size();
    const bool enters = count != count_before;
    sound_.prune();
    const bool leaves = sound_.nodes.size() != count;
    // What a unit that starts wants is kept with the plan.
    const bool changes = starts && (enters || std::ranges::any_of(units_, &Unit::started));
    result.send = aims_presence_ || aims_gain_ || aims_glide_ || fills || leaves || changes ||
                  !result.parameters.empty() || (follow_up_due_ && !round_.running);
    if (!result.send) {
        sound_.forget(now.serial);
        return result;
    }
    if (aims_presence_) begin_round(now);
    if (aims_gain_ || fills) gain_ramps_.push_back({.serial = now.serial});
    if (fills || aims_glide_) fill_serial_ = now.serial;
    if (!result.parameters.empty()) parameters_serial_ = now.serial;
    follow_up_due_ = false;
    return result;
}

/// Continues a unit that has started, or starts one that waits, if it can. Returns whether it has started now.
bool Rounds::try_unit(Unit& unit, const Moment& now, Step& step) {
    // A single transaction may change more than that: a document is exempt.
    const bool fits =
        step.parameters.empty() || step.parameters.size() + unit.parameters.size() <= lengths_.most_parameters;
    if (unit.started) {
        if (!round_.running && fits) continue_unit(unit, now, step);
        if (!fits) unit.retry_frame = now.frame + 1;
        return false;
    }
    if (unit.retry_frame > now.frame && !is_latest(unit)) return false;
    if (touches_started(unit)) {
        wait_for_others(unit, now);
    } else if (!fits) {
        promise(unit, now.frame, 0, now);
        unit.retry_frame = now.frame + 1;
    } else if (start(unit, now)) {
        continue_unit(unit, now, step);
        return true;
    }
    return false;
}

/// What the unit waits for may have to fill first; then come its own preparation and a glide, whose lengths are not known
/// yet.
void Rounds::wait_for_others(Unit& unit, const Moment& now) {
    promise(unit, now.frame, 2 * preparation_frames(sounding_ports(unit)) + longest_glide(), now);
    unit.retry_frame = kUntilProgress;
}

void Rounds::try_all_again() {
    for (Unit& unit : units_) unit.retry_frame = 0;
}

void Rounds::begin_round(const Moment& now) {
    // A round that is extended keeps its time: it cannot be extended for ever.
    const bool extended = round_.running;
    const std::uint32_t length = aims_sink_ ? lengths_.device_round_frames : lengths_.round_frames;
    round_ = {.number = round_.number + 1,
              .serial = now.serial,
              .sent_frame = now.frame,
              .frames = extended ? std::max(round_.frames, length) : length,
              .running = true,
              .unheard = std::exchange(aims_unheard_, {})};
}

bool Rounds::touches_started(const Unit& unit) const {
    return std::ranges::any_of(units_, [&](const Unit& other) { return other.started && touch(other, unit); });
}

/// Starts a unit if it is ready. Otherwise nothing changes but the time at which to try again, and what is promised.
bool Rounds::start(Unit& unit, const Moment& now) {
    const std::vector<PortRef> changed = sound_.want(unit.ports, committed_, now.serial);
    const bool presence = std::ranges::any_of(changed, [&](PortRef port) { return sound_.changes_presence(port); });
    const std::uint64_t aligned = align(unit, changed, now);
    const std::uint64_t ready = std::max(ready_frame(changed, now), aligned);
    const bool in_time = ready <= now.frame && (!presence || may_start_round(now));
    const bool closes = in_time && presence && !acyclic(sound_, wanted);
    if (in_time && !closes) {
        unit.left = in_order(changed);
        if (!presence || !round_.running || fits_into_one_round(unit)) {
            unit.started = true;
            unit.retry_frame = 0;
            std::vector<PortRef> prepared = unheard_ports(changed);
            std::erase_if(prepared, [&](const PortRef& port) { return is_fresh(port.node); });
            const std::uint64_t preparation = preparation_frames(prepared);
            if (preparation != 0 && now.frame != 0) promise(unit, now.frame, preparation, now);
            return true;
        }
        unit.left.clear();
    }
    // By then, nodes that no block has run yet have run.
    const std::uint64_t preparation = preparation_frames(unheard_ports(changed));
    sound_.keep(changed);
    if (closes) {  // with a port that a started unit still has to change
        wait_for_others(unit, now);
        return false;
    }
    promise(unit, ready, preparation, now);
    unit.retry_frame = ready > now.frame ? ready : kUntilProgress;
    return false;
}

/// A unit that needs several rounds cannot extend one: what that one has added may close cycles.
bool Rounds::fits_into_one_round(const Unit& unit) {
    const std::vector<PortRef> next = next_ports(unit);
    return next.size() == unit.left.size() && find_acyclic_step(sound_, next, 0).ports.size() == next.size();
}

/// Returns those of the ports whose nodes are not heard.
std::vector<PortRef> Rounds::unheard_ports(std::span<const PortRef> ports) const {
    const std::vector<bool> heard = sound_.heard(playing);
    std::vector<PortRef> unheard;
    std::ranges::copy_if(ports, std::back_inserter(unheard), [&](const PortRef& port) {
        return port.port != kDevicePort && !heard[sound_.index_of(port.node)];
    });
    return unheard;
}

/// Returns an upper bound of the time that a unit takes to prepare the nodes of these ports, which are not heard yet: a
/// round, and what fills behind it.
std::uint64_t Rounds::preparation_frames(std::span<const PortRef> prepared) const {
    if (prepared.empty()) return 0;
    return std::uint64_t{lengths_.round_frames} * kRoundsOfAnOverlap + sound_.frames_to_fill(prepared);
}

/// Returns the ports of a unit whose nodes are in the plan.
std::vector<PortRef> Rounds::sounding_ports(const Unit& unit) const {
    std::vector<PortRef> ports;
    std::ranges::copy_if(unit.ports, std::back_inserter(ports),
                         [&](const PortRef& port) { return sound_.contains(port.node); });
    return ports;
}

/// Estimates when a unit that has to wait is heard, and fixes its bound, once.
void Rounds::promise(Unit& unit, std::uint64_t ready_frame, std::uint64_t preparation_frames, const Moment& now) {
    for (const Unit& other : units_) {
        if (other.started) ready_frame = std::max(ready_frame, other.retry_frame + lengths_.device_round_frames);
    }
    unit.heard_frame = std::max(ready_frame, after_round(now)) + preparation_frames + lengths_.round_frames +
                       2 * std::uint64_t{lengths_.block_frames};
    if (unit.promised_frame == 0) unit.promised_frame = unit.heard_frame + lengths_.grace_frames;
}

/// Returns the frame from which on the new signals at these ports are filled; the current frame if they are.
std::uint64_t Rounds::ready_frame(std::span<const PortRef> ports, const Moment& now) {
    if (now.frame == 0) return 0;  // nothing was audible before
    const auto filled = [&](const auto& signal) {
        if (signal.filled_from == 0) return now.frame;
        // Until the plan has been adopted, the frame is an estimate.
        return std::max(signal.filled_from, signal.entered_in <= adopted_serial_ ? now.frame : now.frame + 1);
    };
    const std::vector<bool> prepared = aims_unheard_.empty() ? std::vector<bool>{} : sound_.fed_by(aims_unheard_);
    std::optional<std::vector<bool>> heard;
    std::uint64_t ready = now.frame;
    for (const PortRef& port : ports) {
        const SoundingGraph::Node& node = *sound_.find(port.node);
        if (port.port == kDevicePort) {
            if (node.hearing.wanted) ready = std::max(ready, filled(node));
            continue;
        }
        for (const SoundingGraph::Connection& connection : sound_.into(port)) {
            if (!connection.arrives()) continue;
            const std::uint32_t source = connection.from_node;
            std::uint64_t frame = connection.fill_frames != 0 ? filled(connection) : filled(sound_.nodes[source]);
            if (!prepared.empty() && prepared[source]) frame = std::max(frame, now.frame + 1);
            if (frame <= ready) continue;
            if (!heard) heard = sound_.heard(playing);
            // A node that has run and is not heard receives its inputs a round earlier.
            if (is_fresh(port.node) || (*heard)[sound_.index_of(port.node)]) ready = frame;
        }
    }
    return ready;
}

/// Nodes that are no longer heard lose their inputs last.
std::vector<Rounds::ChangingPort> Rounds::in_order(std::span<const PortRef> changed) const {
    const std::vector<bool> before = sound_.heard(playing);
    const std::vector<bool> after = sound_.heard(wanted);
    std::vector<ChangingPort> order;
    order.reserve(changed.size());
    for (const PortRef& port : changed) {
        const std::uint32_t node = sound_.index_of(port.node);
        const bool ends = port.port != kDevicePort && before[node] && !after[node];
        order.push_back({.port = port, .last = ends});
    }
    return order;
}

/// Returns whether a change of the port is not heard, and must be over before the node is heard.
bool Rounds::prepares(PortRef port, const std::vector<bool>& heard) const {
    return port.port != kDevicePort && !is_fresh(port.node) && !heard[sound_.index_of(port.node)];
}

/// Returns the ports of a unit that may change together. Nodes that are not heard receive their inputs before they are
/// heard, and nodes that are no longer heard afterwards: two crossfades one behind the other would dip.
std::vector<PortRef> Rounds::next_ports(const Unit& unit) const {
    const std::vector<bool> heard = sound_.heard(playing);
    std::vector<PortRef> prepared;
    std::vector<PortRef> main;
    std::vector<PortRef> last;
    for (const ChangingPort& left : unit.left)
        (left.last ? last : prepares(left.port, heard) ? prepared : main).push_back(left.port);
    if (!prepared.empty()) return prepared;
    return main.empty() ? last : main;
}

/// Changes what a started unit may change with the next round.
void Rounds::continue_unit(Unit& unit, const Moment& now, Step& step) {
    std::erase_if(unit.left, [&](const ChangingPort& left) { return !sound_.contains(left.port.node); });
    if (unit.left.empty()) return begin_to_be_heard(unit, now, step);
    const std::vector<PortRef> ports = next_ports(unit);
    if (const std::uint64_t ready = ready_frame(ports, now); ready > now.frame) {
        unit.retry_frame = ready;
        return;
    }
    const bool prepares_only = ports.size() < unit.left.size() && prepares(ports.front(), sound_.heard(playing));
    aim_some(unit, ports, now);
    if (!prepares_only) begin_to_be_heard(unit, now, step);
}

void Rounds::begin_to_be_heard(Unit& unit, const Moment& now, Step& step) {
    for (const auto& [place, change] : std::exchange(unit.parameters, {})) step.parameters.push_back(change);
    if (!unit.revisions.empty()) heard_.push_back({now.serial, std::exchange(unit.revisions, {})});
}

/// Changes as many of the ports together as close no cycle with what still sounds; the others stay for later rounds.
void Rounds::aim_some(Unit& unit, std::span<const PortRef> ports, const Moment& now) {
    AcyclicStep step = find_acyclic_step(sound_, ports, unit.rounds);
    ++unit.rounds;
    const std::vector<bool> heard = sound_.heard(playing);
    std::ranges::copy_if(step.ports, std::back_inserter(aims_unheard_),
                         [&](const PortRef& port) { return prepares(port, heard); });
    for (const PortRef& port : step.ports) aim(port, now);
    for (const PortRef& port : step.departures) sound_.aim_departures(port);
    aims_presence_ = aims_presence_ || !step.departures.empty();
    std::ranges::sort(step.ports);
    std::erase_if(unit.left,
                  [&](const ChangingPort& left) { return std::ranges::binary_search(step.ports, left.port); });
}

void Rounds::aim(PortRef port, const Moment& now) {
    if (sound_.changes_presence(port)) aims_presence_ = true;
    if (port.port == kDevicePort) aims_sink_ = true;
    for (const SoundingGraph::Connection& connection : sound_.into(port))
        aims_gain_ = aims_gain_ || connection.gain != connection.wanted_gain;
    sound_.aim(port, now.serial);
}

// ---------------------------------------------------------------------------------------------------------------------
// Glides

/// A signal that is replaced by the same signal with another latency is aligned with it first: what leaves glides to the
/// latency of what arrives, or what arrives starts with the latency of what leaves and glides back when the round has
/// ended. Glides that start together take the same time, so signals that were in time with each other stay so.
///
/// Returns the frame from which on what leaves is aligned.
std::uint64_t Rounds::align(const Unit& unit, std::span<const PortRef> changed, const Moment& now) {
    if (lengths_.longest_glide_frames == 0 || now.frame == 0) return now.frame;
    const std::vector<Shift> shifts = find_shifts(sound_, changed);
    for (const PortRef& port : unit.ports) {
        if (port.port != kDevicePort && !std::ranges::binary_search(shifts, port, {}, &Shift::port))
            keep_in_time(port, now);
    }
    time_glides(now);
    std::vector<Shift> aligned_shifts;
    for (const Shift& shift : shifts) {
        const std::uint32_t late = lateness_at(shift.port, now);
        if (may_glide(shift, late, now) && glides_in_time(unit, shift, late, now)) {
            align_port(shift, late, now);
            aligned_shifts.push_back(shift);
        } else if (is_latest(unit)) {
            latest_combs_ = true;
        }
    }
    time_glides(now);
    std::uint64_t aligned = now.frame;
    for (const Shift& shift : aligned_shifts) aligned = std::max(aligned, aligned_from(shift, now));
    return aligned;
}

/// Returns by how much a connection that leaves is late already, because of an earlier round, and may stay so.
std::uint32_t Rounds::lateness(const SoundingGraph::Connection& connection, const Moment& now) const {
    const bool returns = connection.glide.frames == 0 && !connection.moves;
    return returns ? connection.glide_position(likely_adoption(now)) : connection.glide.frames;
}

/// Returns the largest lateness of what leaves a port.
std::uint32_t Rounds::lateness_at(PortRef port, const Moment& now) {
    std::uint32_t late = 0;
    for (const SoundingGraph::Connection& connection : sound_.into(port)) {
        if (connection.leaves()) late = std::max(late, lateness(connection, now));
    }
    return late;
}

void Rounds::align_port(const Shift& shift, std::uint32_t late, const Moment& now) {
    const bool old_glides = shift.frames > std::int64_t{late};
    const auto old_frames = old_glides ? static_cast<std::uint32_t>(shift.frames) : late;
    const auto new_frames = static_cast<std::uint32_t>(std::int64_t{old_frames} - shift.frames);
    for (SoundingGraph::Connection& connection : sound_.into(shift.port)) {
        if (connection.arrives()) glide_to(connection, new_frames, now);
        // What fades stays in time with what it fades with.
        if (connection.leaves() && !connection.moves)
            glide_to(connection, old_glides ? old_frames : lateness(connection, now), now);
    }
}

/// Returns the frame from which on what leaves has the delay that it needs.
std::uint64_t Rounds::aligned_from(const Shift& shift, const Moment& now) {
    std::uint64_t aligned = now.frame;
    for (const SoundingGraph::Connection& connection : sound_.into(shift.port)) {
        if (!connection.leaves()) continue;
        if (connection.moves) {
            const std::int64_t way = shift.frames - std::int64_t{connection.glide.frames};
            if (way > 0) {
                const auto frames = static_cast<std::uint64_t>(way) * kGlideFramesPerFrame;
                aligned = std::max(aligned, after_round(now) + frames);
            }
        } else if (connection.glide.delay != nullptr) {
            const bool adopted = connection.glide.order <= adopted_serial_;
            aligned = std::max({aligned, connection.glide_rests_from, adopted ? now.frame : now.frame + 1});
        }
    }
    return aligned;
}

/// At a port without a shift, what stays returns to no delay, and what leaves is left alone.
void Rounds::keep_in_time(PortRef port, const Moment& now) {
    for (SoundingGraph::Connection& connection : sound_.into(port)) {
        const bool rests = connection.hearing.playing() && !connection.moves && !connection.leaves();
        if (rests || connection.arrives()) glide_to(connection, 0, now);
    }
}

/// After a panic, a signal that is silent until look-ahead has filled must not come later than the output expects.
bool Rounds::may_glide(const Shift& shift, std::uint32_t late, const Moment& now) const {
    const std::int64_t longest = lengths_.longest_glide_frames;
    if (!shift.in_one_round || shift.frames > longest || std::int64_t{late} - shift.frames > longest) return false;
    std::uint32_t load = sound_.glide_load();
    const bool old_glides = shift.frames > std::int64_t{late};
    for (const SoundingGraph::Connection& connection : sound_.into(shift.port)) {
        if (connection.leaves() && connection.filled_from > now.frame) return false;
        const bool delayed = old_glides ? connection.leaves() : connection.arrives();
        if (delayed && connection.glide.delay == nullptr) load += sound_.glide_load_of(connection);
    }
    return load <= kMostGlideLoad;
}

/// A glide that would break the promise of the unit, because something prevented it before, is left out.
bool Rounds::glides_in_time(const Unit& unit, const Shift& shift, std::uint32_t late, const Moment& now) const {
    if (unit.promised_frame == 0) return true;
    const bool old_glides = shift.frames > std::int64_t{late};
    std::int64_t wait = 0;
    for (const SoundingGraph::Connection& connection : sound_.into(shift.port)) {
        if (old_glides && connection.leaves() && connection.glide.frames != shift.frames) {
            const std::uint32_t from =
                connection.moves ? connection.glide.frames : connection.glide_position(likely_adoption(now));
            wait = std::max(wait, (shift.frames - from) * kGlideFramesPerFrame + lengths_.block_frames);
        }
        const std::int64_t frames = std::int64_t{late} - shift.frames;
        if (!old_glides && connection.arrives() && connection.glide.frames != frames)
            wait = std::max(wait, frames + connection.delay_frames);
    }
    return likely_adoption(now) + static_cast<std::uint64_t>(wait) + lengths_.round_frames <= unit.promised_frame;
}

/// Lets a connection glide to a delay. One that does not sound yet has it at once, and must be filled.
void Rounds::glide_to(SoundingGraph::Connection& connection, std::uint32_t frames, const Moment& now) {
    if (frames == connection.glide.frames) return;
    const bool sounds = connection.hearing.playing();
    if (!sounds || connection.glide.delay == nullptr) sound_.replace_glide(connection, make_glide(connection, frames));
    aims_glide_ = true;
    connection.glide_from = sounds ? connection.glide_position(likely_adoption(now)) : frames;
    connection.glide.frames = frames;
    connection.glide.length_frames = 0;
    connection.glide.order = now.serial;
    if (sounds) return;
    connection.glide_rests_from = 0;
    connection.filling = true;
    connection.entered_in = now.serial;
    connection.fill_frames = connection.delay_frames + frames;
    connection.filled_from =
        std::max(sound_.nodes[connection.from_node].filled_from, likely_adoption(now)) + connection.fill_frames;
}

std::shared_ptr<dsp::GlidingDelay> Rounds::make_glide(const SoundingGraph::Connection& connection,
                                                      std::uint32_t frames) const {
    if (frames == 0) return nullptr;
    return std::make_shared<dsp::GlidingDelay>(sound_.width_of(connection), lengths_.block_frames,
                                               lengths_.longest_glide_frames,
                                               connection.hearing.playing() ? 0 : frames);
}

/// Sets the time of the glides that start together. The position from which they start is an estimate.
void Rounds::time_glides(const Moment& now) {
    const auto starts = [&](const SoundingGraph::Connection& connection) {
        return connection.glide.order == now.serial && connection.glide.length_frames == 0 &&
               connection.hearing.playing();
    };
    std::uint32_t longest = 0;
    for (const SoundingGraph::Connection& connection : sound_.connections) {
        if (starts(connection)) longest = std::max(longest, connection.glide_distance());
    }
    for (SoundingGraph::Connection& connection : sound_.connections) {
        if (!starts(connection)) continue;
        connection.glide.length_frames = longest * kGlideFramesPerFrame + lengths_.block_frames;
        connection.glide_rests_from = likely_adoption(now) + connection.glide.length_frames;
    }
}

/// What sounds late after a round glides back, unless another change of its port needs it late.
void Rounds::return_glides(const Moment& now) {
    if (!sound_.glides()) return;
    const auto changes = [&](const Unit& unit, PortRef port) { return std::ranges::binary_search(unit.ports, port); };
    for (SoundingGraph::Connection& connection : sound_.connections) {
        const bool rests = !connection.moves && connection.hearing.target;
        const auto port_changes = [&](const Unit& unit) { return changes(unit, connection.key.to); };
        if (connection.glide.frames == 0 || !rests || std::ranges::any_of(units_, port_changes)) continue;
        glide_to(connection, 0, now);
    }
    time_glides(now);
}

/// Removes delays that have become 0.
void Rounds::end_glides(std::uint64_t frame) {
    if (!glide_end_frame_ || *glide_end_frame_ > frame) return;
    for (SoundingGraph::Connection& connection : sound_.connections) {
        if (!connection.glide_has_ended(adopted_serial_) || connection.glide_rests_from > frame) continue;
        sound_.replace_glide(connection, nullptr);
        follow_up_due_ = true;
    }
}

/// Returns a frame at which the current round has ended.
std::uint64_t Rounds::after_round(const Moment& now) const {
    return round_.running ? now.frame + lengths_.device_round_frames : now.frame;
}

/// Returns how long a glide may take.
std::uint64_t Rounds::longest_glide() const {
    return sound_.has_latency() ? std::uint64_t{lengths_.longest_glide_frames} * kGlideFramesPerFrame : 0;
}

std::uint64_t Rounds::likely_adoption(const Moment& now) const {
    return now.frame + 2 * std::uint64_t{lengths_.block_frames};
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
