// SPDX-License-Identifier: MIT
#include "engine/glides.h"
#include "text/sort_range.h"

#include <algorithm>
#include <limits>

namespace rta {
namespace {

/// Glides change the pitch by 1 %, or 17 cents.
constexpr std::uint32_t kGlideFramesPerFrame = 100;
/// The load of all signals that may glide at the same time. A frame of a signal takes about 33 ns, and 11 ns more for
/// each channel: a channel counts 1, a signal 3 more. 128 is 7 % of a block at 48 kHz.
constexpr std::uint32_t kMostGlideLoad = 128;

constexpr std::uint64_t kNoDeadline = std::numeric_limits<std::uint64_t>::max();

}  // namespace

Glides::Alignment Glides::align(ChangeUnit& unit, std::span<const PortRef> changed, std::uint64_t preparation_frames) {
    Alignment result{.ready_frame = now_.frame, .combs = false};
    unit.late_ports.clear();
    if (lengths_.longest_frames == 0 || now_.frame == 0) return result;
    const bool any_late = sound_.glides();
    ShiftFinder finder{sound_, changed, [this](const auto& connection) { return lateness_in_round(connection); }};
    const std::uint64_t deadline = unit.promised_frame == 0
                                       ? kNoDeadline
                                       : unit.promised_frame - std::min(unit.promised_frame, preparation_frames);
    std::vector<PortRef> shifted;
    std::vector<Shift> aligned_shifts;
    for (const PortRef port : finder.ports()) {
        const std::optional<Shift> shift = finder.find(port);
        if (!shift) {
            if (start_in_time(port)) finder.lateness_changed();
            continue;
        }
        shifted.push_back(port);
        const std::uint32_t late = lateness_at(port);
        if (may_glide(*shift, late) && glides_in_time(deadline, *shift, late)) {
            if (any_late) keep_late(finder.different_sources(), shifted, unit);
            if (align_port(*shift, late)) finder.lateness_changed();
            aligned_shifts.push_back(*shift);
        } else {
            result.combs = true;
        }
    }
    time_glides();
    std::vector<PortRef> late = shifted;
    late.insert(late.end(), unit.late_ports.begin(), unit.late_ports.end());
    sort_range(late);
    for (const PortRef& port : unit.ports) {
        if (port.port != kDevicePort && !std::ranges::binary_search(late, port)) keep_in_time(port);
    }
    time_glides();
    for (const Shift& shift : aligned_shifts) result.ready_frame = std::max(result.ready_frame, aligned_from(shift));
    return result;
}

/// Returns the lateness of a leaving connection that an earlier round has caused, and that it may keep.
std::uint32_t Glides::lateness(const SoundingGraph::Connection& connection) const {
    const bool returns = connection.glide.frames == 0 && !connection.moves;
    return returns ? connection.glide_position(now_.adoption_frame) : connection.glide.frames;
}

/// Returns how late the signal is when the unit begins to be heard, as far as it is known.
std::uint32_t Glides::lateness_in_round(const SoundingGraph::Connection& connection) const {
    if (connection.glide.delay == nullptr) return 0;
    if (connection.leaves()) return lateness(connection);
    return connection.arrives() ? connection.glide.frames : connection.glide_position(now_.adoption_frame);
}

/// Returns the largest lateness of the connections that leave a port.
std::uint32_t Glides::lateness_at(PortRef port) {
    std::uint32_t late = 0;
    for (const SoundingGraph::Connection& connection : sound_.into(port)) {
        if (connection.leaves()) late = std::max(late, lateness(connection));
    }
    return late;
}

/// Keeps the lateness of what sounds on the way to one of two signals at a port, until the unit has replaced one by the
/// other: the arriving signal is aligned with that. Ports that are aligned themselves are left out.
void Glides::keep_late(const std::vector<bool>& nodes, std::span<const PortRef> shifted, ChangeUnit& unit) {
    for (SoundingGraph::Connection& connection : sound_.connections.own()) {
        if (!connection.hearing.target || connection.glide.delay == nullptr || !nodes[connection.to_node]) continue;
        if (std::ranges::find(shifted, connection.key.to) != shifted.end()) continue;
        unit.late_ports.push_back(connection.key.to);
        if (!connection.moves) glide_to(connection, connection.glide_position(now_.adoption_frame));
    }
}

/// Returns whether the lateness of any connection has changed.
bool Glides::align_port(const Shift& shift, std::uint32_t late) {
    bool changed = false;
    const bool old_glides = shift.frames > std::int64_t{late};
    const auto old_frames = old_glides ? static_cast<std::uint32_t>(shift.frames) : late;
    const auto new_frames = static_cast<std::uint32_t>(std::int64_t{old_frames} - shift.frames);
    for (SoundingGraph::Connection& connection : sound_.into(shift.port)) {
        if (connection.arrives()) changed = glide_to(connection, new_frames) || changed;
        // Signals that fade together stay in time with each other.
        if (connection.leaves() && !connection.moves)
            changed = glide_to(connection, old_glides ? old_frames : lateness(connection)) || changed;
    }
    return changed;
}

/// Removes the lateness that an earlier attempt has given to arriving connections. Returns whether there was any.
bool Glides::start_in_time(PortRef port) {
    bool changed = false;
    for (SoundingGraph::Connection& connection : sound_.into(port)) {
        if (connection.arrives()) changed = glide_to(connection, 0) || changed;
    }
    return changed;
}

/// Returns the frame from which the leaving connections have the delay that they need.
std::uint64_t Glides::aligned_from(const Shift& shift) {
    std::uint64_t aligned = now_.frame;
    for (const SoundingGraph::Connection& connection : sound_.into(shift.port)) {
        if (!connection.leaves()) continue;
        if (connection.moves) {
            const std::int64_t way = shift.frames - std::int64_t{connection.glide.frames};
            if (way > 0) {
                const auto frames = static_cast<std::uint64_t>(way) * kGlideFramesPerFrame;
                aligned = std::max(aligned, now_.after_round_frame + frames);
            }
        }
        if (connection.glide.delay != nullptr) {
            const bool adopted = connection.glide.order <= now_.adopted_serial;
            aligned = std::max({aligned, connection.glide_rests_from, adopted ? now_.frame : now_.frame + 1});
        }
    }
    return aligned;
}

/// At a port without a shift, connections that stay glide back to no delay; leaving connections do not change.
void Glides::keep_in_time(PortRef port) {
    for (SoundingGraph::Connection& connection : sound_.into(port)) {
        const bool rests = connection.hearing.playing() && !connection.moves && !connection.leaves();
        if (rests || connection.arrives()) glide_to(connection, 0);
    }
}

/// After a panic, a signal that is silent until look-ahead has filled must not arrive later than the output expects.
bool Glides::may_glide(const Shift& shift, std::uint32_t late) const {
    const std::int64_t longest = lengths_.longest_frames;
    if (!shift.in_one_round || shift.frames > longest || std::int64_t{late} - shift.frames > longest) return false;
    std::uint32_t load = load_of_all();
    const bool old_glides = shift.frames > std::int64_t{late};
    for (const SoundingGraph::Connection& connection : sound_.into(shift.port)) {
        if (connection.leaves() && connection.filled_from > now_.frame) return false;
        const bool delayed = old_glides ? connection.leaves() : connection.arrives();
        if (delayed && connection.glide.delay == nullptr) load += load_of(connection);
    }
    return load <= kMostGlideLoad;
}

/// Returns false for a glide that would break the promise of the unit because something has delayed it; it is omitted.
bool Glides::glides_in_time(std::uint64_t deadline_frame, const Shift& shift, std::uint32_t late) const {
    const bool old_glides = shift.frames > std::int64_t{late};
    std::int64_t wait = 0;
    for (const SoundingGraph::Connection& connection : sound_.into(shift.port)) {
        if (old_glides && connection.leaves() && connection.glide.frames != shift.frames) {
            const std::uint32_t from =
                connection.moves ? connection.glide.frames : connection.glide_position(now_.adoption_frame);
            wait = std::max(wait, (shift.frames - from) * kGlideFramesPerFrame + lengths_.block_frames);
        }
        const bool keeps_gliding = connection.moves || (!old_glides && connection.glide.frames != 0);
        if (connection.leaves() && keeps_gliding && connection.glide_rests_from > now_.adoption_frame)
            wait = std::max(wait, static_cast<std::int64_t>(connection.glide_rests_from - now_.adoption_frame));
        const std::int64_t frames = std::int64_t{late} - shift.frames;
        if (!old_glides && connection.arrives() && connection.glide.frames != frames)
            wait = std::max(wait, frames + connection.delay_frames);
    }
    return now_.adoption_frame + static_cast<std::uint64_t>(wait) + lengths_.round_frames <= deadline_frame;
}

/// Lets a connection glide to a delay. Returns false if that is where it is going already. A connection that does not sound yet has the delay immediately, and must be
/// filled.
bool Glides::glide_to(SoundingGraph::Connection& connection, std::uint32_t frames) {
    if (frames == connection.glide.frames) return false;
    const bool sounds = connection.hearing.playing();
    if (!sounds || connection.glide.delay == nullptr) sound_.replace_glide(connection, make_glide(connection, frames));
    started_ = true;
    connection.glide_from = sounds ? connection.glide_position(now_.adoption_frame) : frames;
    connection.glide.frames = frames;
    connection.glide.length_frames = 0;
    connection.glide.order = now_.serial;
    if (sounds) return true;
    connection.glide_rests_from = 0;
    connection.filling = true;
    connection.entered_in = now_.serial;
    connection.fill_frames = connection.delay_frames + frames;
    connection.filled_from =
        std::max(sound_.nodes[connection.from_node].filled_from, now_.adoption_frame) + connection.fill_frames;
    return true;
}

std::shared_ptr<dsp::GlidingDelay> Glides::make_glide(const SoundingGraph::Connection& connection,
                                                      std::uint32_t frames) const {
    if (frames == 0) return nullptr;
    return std::make_shared<dsp::GlidingDelay>(width_of(connection), lengths_.block_frames, lengths_.longest_frames,
                                               connection.hearing.playing() ? 0 : frames);
}

/// Sets the time of the glides that start together. The position from which they start is an estimate.
void Glides::time_glides() {
    if (!sound_.glides()) return;
    const auto starts = [&](const SoundingGraph::Connection& connection) {
        return connection.glide.order == now_.serial && connection.glide.length_frames == 0 &&
               connection.hearing.playing();
    };
    std::uint32_t longest = 0;
    for (const SoundingGraph::Connection& connection : sound_.connections) {
        if (starts(connection)) longest = std::max(longest, connection.glide_distance());
    }
    for (SoundingGraph::Connection& connection : sound_.connections.own()) {
        if (!starts(connection)) continue;
        connection.glide.length_frames = longest * kGlideFramesPerFrame + lengths_.block_frames;
        connection.glide_rests_from = now_.adoption_frame + connection.glide.length_frames;
    }
}

void Glides::give_back(std::span<const ChangeUnit> units) {
    if (!sound_.glides()) return;
    const auto changes = [&](const ChangeUnit& unit, PortRef port) {
        return std::ranges::binary_search(unit.ports, port) ||
               std::ranges::find(unit.late_ports, port) != unit.late_ports.end();
    };
    for (SoundingGraph::Connection& connection : sound_.connections.own()) {
        const bool rests = !connection.moves && connection.hearing.target;
        const auto port_changes = [&](const ChangeUnit& unit) { return changes(unit, connection.key.to); };
        if (connection.glide.frames == 0 || !rests || std::ranges::any_of(units, port_changes)) continue;
        glide_to(connection, 0);
    }
    time_glides();
}

bool Glides::remove_ended() {
    bool any = false;
    for (SoundingGraph::Connection& connection : sound_.connections.own()) {
        if (!connection.glide_has_ended(now_.adopted_serial) || connection.glide_rests_from > now_.frame) continue;
        sound_.replace_glide(connection, nullptr);
        any = true;
    }
    return any;
}

std::uint32_t Glides::width_of(const SoundingGraph::Connection& connection) const {
    const NodeDescription& source = sound_.nodes[connection.from_node].compiled.instance->description();
    return source.layout.outputs[connection.key.from.port].width;
}

/// Returns the load of all connections that glide or are late: the number of channels plus 3 for each.
std::uint32_t Glides::load_of_all() const {
    std::uint32_t load = 0;
    for (const SoundingGraph::Connection& connection : sound_.connections) {
        if (connection.glide.delay != nullptr) load += load_of(connection);
    }
    return load;
}

bool start_glides(SoundingGraph& sound, std::uint64_t first_serial, std::uint64_t frame) {
    if (!sound.glides()) return false;
    bool any = false;
    for (SoundingGraph::Connection& connection : sound.connections.own()) {
        if (connection.glide.delay == nullptr || connection.glide.order < first_serial) continue;
        any = true;
        if (connection.hearing.playing()) connection.glide_rests_from = frame + connection.glide.length_frames;
    }
    return any;
}

std::optional<std::uint64_t> next_glide_end(const SoundingGraph& sound, std::uint64_t adopted_serial) {
    std::optional<std::uint64_t> next;
    if (!sound.glides()) return next;
    for (const SoundingGraph::Connection& connection : sound.connections) {
        if (!connection.glide_has_ended(adopted_serial)) continue;
        next = std::min(next.value_or(connection.glide_rests_from), connection.glide_rests_from);
    }
    return next;
}

std::uint64_t longest_glide_frames(std::uint32_t delay_frames) {
    return std::uint64_t{delay_frames} * kGlideFramesPerFrame;
}

}  // namespace rta
