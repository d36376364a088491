// SPDX-License-Identifier: MIT
// Which units start or continue with the plan being built, and what they change.
#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "engine/acyclic_steps.h"
#include "engine/filling.h"
#include "engine/rounds.h"
#include "text/sort_range.h"

namespace rta {
namespace {

/// Only the end of a round, of another unit, or a new plan can let the unit start.
constexpr std::uint64_t kUntilProgress = std::numeric_limits<std::uint64_t>::max();
/// Number of rounds that a started unit, or the preparation of one, is likely to need.
constexpr std::uint32_t kRoundsOfAnOverlap = 4;

bool wanted(const Hearing& hearing) { return hearing.wanted; }

bool acyclic(const SoundingGraph& sound, SoundingGraph::Counts counts) {
    return topological_order(static_cast<std::uint32_t>(sound.nodes.size()), sound.arcs(counts)).has_value();
}

}  // namespace

Rounds::Step Rounds::advance(const AudioGraph& graph, const Moment& now,
                             const std::function<std::shared_ptr<NodeInstance>(NodeId)>& instance) {
    latest_revision_ = 0;
    Step result = step(graph, now, instance);
    result.reports = !heard_.empty() && heard_.back().serial == now.serial;
    return result;
}

Rounds::Step Rounds::step(const AudioGraph& graph, const Moment& now,
                          const std::function<std::shared_ptr<NodeInstance>(NodeId)>& instance) {
    before_start_ = now.frame == 0 && !sent_parameters_;
    end_round(now.frame);
    if (glide_end_frame_ && *glide_end_frame_ <= now.frame && glides(now).remove_ended()) follow_up_from(now.frame);
    if (before_start_ && sound_.settle_before_start()) follow_up_from(now.frame);
    const std::size_t count_before = sound_.nodes.size();
    const bool fills = enter(graph, now, instance);
    aims_presence_ = aims_sink_ = aims_gain_ = aims_glide_ = false;
    gain_frames_ = lengths_.gain_frames;
    for (std::vector<PortRef>* const ports : {&aims_unheard_, &preparing_, &later_}) ports->clear();
    merge_units_in_loops(units_, sound_, *committed_);
    Step result;
    bool starts = false;
    std::size_t parameters = 0;
    for (ChangeUnit& unit : units_) starts = try_unit(unit, now, parameters) || starts;
    continue_units(now, result);
    const auto ended = std::erase_if(units_, [](const ChangeUnit& unit) { return unit.started && unit.left.empty(); });
    if (ended != 0) try_all_again();
    Glides returning = glides(now);
    returning.give_back(units_);
    aims_glide_ = aims_glide_ || returning.started();
    glide_end_frame_ = next_glide_end(sound_, adopted_serial_);
    const std::size_t count = sound_.nodes.size();
    const bool enters = count != count_before;
    const bool drains = sound_.prune({.serial = now.serial, .draining = draining()}).drains;
    aims_gain_ = aims_gain_ || drains;
    const bool leaves = sound_.nodes.size() != count;
    // The wanted state of a unit that starts is kept with the plan.
    const bool changes = starts && (enters || std::ranges::any_of(units_, &ChangeUnit::started));
    result.plan = aims_presence_ || aims_gain_ || aims_glide_ || fills || leaves || changes ||
                  (follow_up_due(now.frame) && !round_.running);
    sent_parameters_ = sent_parameters_ || !result.parameters.empty();
    if (!result.plan) {
        sound_.forget(now.serial);
        entered_ = entered_ && !enters;
        return result;
    }
    if (aims_presence_) begin_round(now);
    if (aims_gain_ || fills) gain_ramps_.push_back({.serial = now.serial, .frames = gain_frames_, .drains = drains});
    if (fills || aims_glide_) fill_serial_ = now.serial;
    follow_up_frame_.reset();
    return result;
}

/// Adds what is missing in the sound. Returns whether anything must be filled.
bool Rounds::enter(const AudioGraph& graph, const Moment& now,
                   const std::function<std::shared_ptr<NodeInstance>(NodeId)>& instance) {
    if (entered_ && !has_delays_ && sound_.is_complete()) return false;
    entered_ = true;
    return sound_.enter(graph, *committed_,
                        {.serial = now.serial,
                         .frame = likely_adoption(now),
                         .fade_frames = fade_in_frames(now),
                         .instance = instance});
}

/// Lets a unit continue that has started, or start if it waits and can. `parameters`: of units that continue. Returns
/// whether it has started now.
bool Rounds::try_unit(ChangeUnit& unit, const Moment& now, std::size_t& parameters) {
    // A single transaction may change more than that, because documents have no limit.
    const bool fits = parameters == 0 || parameters + unit.parameters.size() <= lengths_.most_parameters;
    const bool had_started = unit.started;
    if (had_started) {
        // A later transaction may have removed nodes.
        std::erase_if(unit.left, [&](const PortRef& left) { return !sound_.contains(left.node); });
        unit.continues = !round_.running && fits && !would_overrun(now);
        if (!fits) unit.retry_frame = now.frame + 1;
    } else if (unit.retry_frame > now.frame && !is_latest(unit)) {
        return false;
    } else if (touches_started(unit)) {
        wait_for_others(unit, now);
    } else if (!fits) {
        wait_for_others(unit, now);
        unit.retry_frame = now.frame + 1;
    } else {
        unit.continues = start(unit, now);
    }
    if (!unit.continues) return false;
    parameters += unit.parameters.size();
    if (unit.left.empty()) return !had_started;
    const std::vector<bool>& heard = sound_.heard_playing();
    std::ranges::copy_if(unit.left, std::back_inserter(preparing_),
                         [&](const PortRef& port) { return prepares(port, heard); });
    return !had_started;
}

/// The signals for which the unit waits may have to fill first. Then follow its own preparation and a glide, whose
/// lengths are not known yet.
void Rounds::wait_for_others(ChangeUnit& unit, const Moment& now) {
    std::uint64_t filled = now.frame;
    for (const SoundingGraph::Node& node : sound_.nodes) filled = std::max(filled, node.filled_from);
    promise(unit, filled, 2 * preparation_frames(unit.ports) + longest_glide(), now);
    unit.retry_frame = kUntilProgress;
}

void Rounds::try_all_again() {
    for (ChangeUnit& unit : units_) unit.retry_frame = 0;
}

void Rounds::begin_round(const Moment& now) {
    // An extended round keeps its time, so that it cannot be extended indefinitely.
    const bool extended = round_.running;
    const std::uint32_t length = aims_sink_ ? lengths_.device_round_frames : lengths_.round_frames;
    round_ = {.number = round_.number + 1,
              .serial = now.serial,
              .sent_frame = now.frame,
              .frames = extended ? std::max(round_.frames, length) : length,
              .running = true,
              .unheard = std::exchange(aims_unheard_, {})};
}

bool Rounds::touches_started(const ChangeUnit& unit) const {
    return std::ranges::any_of(units_, [&](const ChangeUnit& other) { return other.started && other.touches(unit); });
}

/// Starts a unit if it is ready. Otherwise changes only its promise and the time of the next attempt.
bool Rounds::start(ChangeUnit& unit, const Moment& now) {
    const std::vector<PortRef> changed = sound_.want(unit.ports, *committed_, {now.serial, unit.gain_frames});
    const bool presence = std::ranges::any_of(changed, [&](PortRef port) { return sound_.changes_presence(port); });
    Glides aligning = glides(now);
    const std::vector<PortRef> prepared = before_start_ ? std::vector<PortRef>{} : sound_.unheard_ports(changed);
    const std::uint64_t preparation = preparation_frames(prepared);
    const Glides::Alignment alignment = aligning.align(unit, changed, preparation);
    aims_glide_ = aims_glide_ || aligning.started();
    if (is_latest(unit)) latest_combs_ = latest_combs_ || alignment.combs;
    const std::uint64_t ready =
        std::max({ready_frame(changed, preparing_, now), alignment.ready_frame, unit.not_before});
    const bool in_time = ready <= now.frame && (!presence || may_start_round(now));
    const bool closes = in_time && presence && !acyclic(sound_, wanted);
    const std::uint64_t filled = filled_frame(sound_, prepared);
    if (in_time && !closes) {
        unit.left = changed;
        if (!presence || !round_.running || fits_into_one_round(unit)) {
            unit.started = true;
            unit.retry_frame = 0;
            if (preparation != 0) promise(unit, filled, preparation, now);
            return true;
        }
        unit.left.clear();
    }
    sound_.keep(changed);
    if (closes) {  // with a port that a started unit still has to change
        wait_for_others(unit, now);
        return false;
    }
    promise(unit, std::max(ready, filled), preparation, now);
    unit.retry_frame = ready > now.frame ? ready : would_overrun(now) ? *reserved_frame_ : kUntilProgress;
    return false;
}

/// A unit that needs several rounds cannot extend one: the changes of that round may close cycles with it. Nor can a
/// unit that makes a node heard again that the round silences: the node still has its old inputs.
bool Rounds::fits_into_one_round(const ChangeUnit& unit) {
    const std::vector<PortRef> next = next_ports(unit);
    return next.size() == unit.left.size() && find_acyclic_step(sound_, next, 0).ports.size() == next.size() &&
           !hears_silenced_nodes(units_, sound_);
}

/// Returns an upper bound of the time that a unit takes to prepare the nodes of these ports, which are not heard yet:
/// the rounds, and the time to fill the nodes after them.
std::uint64_t Rounds::preparation_frames(std::span<const PortRef> prepared) const {
    if (prepared.empty()) return 0;
    return std::uint64_t{lengths_.round_frames} * kRoundsOfAnOverlap + frames_to_fill(sound_, prepared);
}

/// Estimates when a waiting unit is heard, and sets its promise once.
void Rounds::promise(ChangeUnit& unit, std::uint64_t ready_frame, std::uint64_t preparation_frames, const Moment& now) {
    for (const ChangeUnit& other : units_) {
        if (other.started) ready_frame = std::max(ready_frame, other.retry_frame + lengths_.device_round_frames);
    }
    unit.heard_frame = std::max(ready_frame, after_round(now)) + preparation_frames + latest_start();
    if (unit.promised_frame == 0) unit.promised_frame = unit.heard_frame + lengths_.grace_frames;
}

/// Returns the frame from which the new signals at these ports are filled; the current frame if they already are.
std::uint64_t Rounds::ready_frame(std::span<const PortRef> ports, std::span<const PortRef> preparing,
                                  const Moment& now) const {
    if (before_start_) return 0;  // nothing was audible before
    const auto filled = [&](const auto& signal) {
        if (signal.filled_from == 0) return now.frame;
        // Until the plan has been adopted, the frame is an estimate.
        return std::max(signal.filled_from, signal.entered_in <= adopted_serial_ ? now.frame : now.frame + 1);
    };
    const std::vector<bool> prepared = preparing.empty() ? std::vector<bool>{} : fed_by(sound_, preparing);
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
            // A node that is not heard receives its inputs a round earlier. A delay that has not filled begins with a
            // step, which the node may remember.
            if (connection.fill_frames != 0 || sound_.heard_playing()[sound_.index_of(port.node)]) ready = frame;
        }
    }
    return ready;
}

/// Returns whether a change of the port is inaudible, and must end before the node is heard.
bool Rounds::prepares(PortRef port, const std::vector<bool>& heard) const {
    return !before_start_ && port.port != kDevicePort && !heard[sound_.index_of(port.node)];
}

/// Returns the ports of a unit that may change together. Nodes that are not heard yet receive their inputs first, and
/// nodes that are no longer heard lose theirs last: two crossfades in series would cause a dip.
std::vector<PortRef> Rounds::next_ports(const ChangeUnit& unit) const {
    if (unit.left.size() == 1) return unit.left;
    const std::vector<bool>& heard = sound_.heard_playing();
    const std::vector<bool> heard_afterwards = sound_.heard(wanted, later_);
    std::vector<PortRef> prepared;
    std::vector<PortRef> main;
    std::vector<PortRef> last;
    for (const PortRef& port : unit.left) {
        const bool ends = port.port != kDevicePort && !heard_afterwards[sound_.index_of(port.node)];
        (prepares(port, heard) ? prepared : ends ? last : main).push_back(port);
    }
    if (!prepared.empty()) return prepared;
    return main.empty() ? last : main;
}

/// Lets the units continue that take part in this round. What all of them change decides which nodes are no longer
/// heard afterwards, so if some are held back, the others choose again.
void Rounds::continue_units(const Moment& now, Step& step) {
    later_ = ports_of_later_rounds(units_, preparing_);
    std::optional<Rounds> before;
    if (std::ranges::count(units_, true, &ChangeUnit::continues) > 1) before = *this;
    while (!continue_ready(now, step) && before) {
        for (std::size_t i = 0; i < units_.size(); ++i) {
            if (units_[i].continues) continue;
            before->units_[i].continues = false;
            before->units_[i].retry_frame = units_[i].retry_frame;
        }
        before->later_ = ports_of_later_rounds(before->units_, preparing_);
        *this = *before;
        step.parameters.clear();
    }
    for (ChangeUnit& unit : units_) unit.continues = false;
}

/// Lets the units continue whose signals are filled. Returns false if there were others: they do not take part.
bool Rounds::continue_ready(const Moment& now, Step& step) {
    bool all = true;
    for (ChangeUnit& unit : units_) {
        if (!unit.continues) continue;
        unit.continues = continue_unit(unit, now, step);
        all = all && unit.continues;
    }
    return all;
}

/// Makes the changes of a started unit that the next round allows. Returns false if it does not take part, because
/// signals have to fill before, or because the units before it make a node heard whose inputs it was to prepare: the
/// others were told that it changes the rest later.
bool Rounds::continue_unit(ChangeUnit& unit, const Moment& now, Step& step) {
    if (unit.left.empty()) {
        begin_to_be_heard(unit, now, step);
        return true;
    }
    const std::vector<PortRef> ports = next_ports(unit);
    std::uint64_t ready = ready_frame(ports, aims_unheard_, now);
    const auto is_later = [&](const PortRef& port) { return std::ranges::binary_search(later_, port); };
    if (std::ranges::any_of(ports, is_later)) ready = std::max(ready, now.frame + 1);
    if (ready > now.frame) {
        unit.retry_frame = ready;
        return false;
    }
    const bool prepares_only = ports.size() < unit.left.size() && prepares(ports.front(), sound_.heard_playing());
    aim_some(unit, ports, now);
    if (!prepares_only) begin_to_be_heard(unit, now, step);
    return true;
}

void Rounds::begin_to_be_heard(ChangeUnit& unit, const Moment& now, Step& step) {
    for (const auto& [place, change] : std::exchange(unit.parameters, {})) step.parameters.push_back(change);
    if (!unit.revisions.empty()) heard_.push_back({now.serial, std::exchange(unit.revisions, {})});
}

/// Changes as many of the ports together as possible without closing a cycle with what still sounds. The others stay
/// for later rounds.
void Rounds::aim_some(ChangeUnit& unit, std::span<const PortRef> ports, const Moment& now) {
    AcyclicStep step = find_acyclic_step(sound_, ports, unit.rounds);
    ++unit.rounds;
    const std::vector<bool>& heard = sound_.heard_playing();
    std::ranges::copy_if(step.ports, std::back_inserter(aims_unheard_),
                         [&](const PortRef& port) { return prepares(port, heard); });
    for (const PortRef& port : step.ports) aim(port, now);
    for (const PortRef& port : step.departures) sound_.aim_departures(port);
    aims_presence_ = aims_presence_ || !step.departures.empty();
    sort_range(step.ports);
    std::erase_if(unit.left, [&](const PortRef& left) { return std::ranges::binary_search(step.ports, left); });
}

void Rounds::aim(PortRef port, const Moment& now) {
    if (sound_.changes_presence(port)) aims_presence_ = true;
    if (port.port == kDevicePort) aims_sink_ = true;
    for (const SoundingGraph::Connection& connection : sound_.into(port)) {
        if (connection.gain == connection.wanted_gain) continue;
        aims_gain_ = true;
        gain_frames_ = std::max(gain_frames_, connection.wanted_gain_frames);
    }
    sound_.aim(port, now.serial);
}

Glides Rounds::glides(const Moment& now) {
    return {sound_,
            {lengths_.longest_glide_frames, lengths_.round_frames, lengths_.block_frames},
            {now.frame, now.serial, adopted_serial_, likely_adoption(now), after_round(now)}};
}

}  // namespace rta
