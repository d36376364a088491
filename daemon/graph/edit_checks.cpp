// SPDX-License-Identifier: MIT
#include "graph/edit_checks.h"

#include <unordered_set>
#include <utility>
#include <variant>

#include "graph/layout.h"
#include "text/format_number.h"
#include "text/quoting.h"
#include "text/suggestion.h"

namespace rta {
namespace {

/// An instance id is shorter; a client may send anything.
constexpr std::size_t kLongestShown = 64;

Error invalid(std::string sentence) { return {ErrorCode::invalid_argument, std::move(sentence), {}}; }

/// "; the latest change is that of uid 1000 (client \"rtactl\")", or nothing if no client has made one.
std::string latest_author(const GuardedState& state) {
    if (state.latest_edit == 0) return {};
    std::string text = "; the latest change is that of ";
    text += state.author.empty() ? "an unknown author" : state.author;
    if (!state.client_name.empty()) text += " (client " + quoted(state.client_name) + ")";
    return text;
}

}  // namespace

Error invalid_setting(std::string_view name, std::string_view node, std::string_view kind) {
    return invalid("setting " + quoted(name) + " of node " + quoted(node) + " is " + std::string{kind} +
                   "; expected a number, a string, true or false");
}

Expected<SetParameter> to_change(ReceivedChange received) {
    SetParameter change{std::move(received.node), std::move(received.parameter), received.value, received.ramp_ms};
    if (!received.add && !received.toggle) return change;
    const auto refuse = [&](std::string_view why) {
        return std::unexpected(
            invalid("the change of " + quoted(change.node + "." + change.parameter) + " " + std::string{why}));
    };
    if (received.value != 0.0F) return refuse("is relative and has a value: expected one of the two");
    if (received.toggle) {
        if (!*received.toggle) return refuse("has toggle = false: expected true, or a value");
        change.kind = SetParameter::Kind::toggle;
        return change;
    }
    change.kind = SetParameter::Kind::add;
    change.value = *received.add;
    return change;
}

Expected<void> check_describe(const Describe& edit) {
    if (edit.title || edit.description) return {};
    return std::unexpected(invalid("describe changes nothing: expected title, description or both"));
}

Expected<void> check_alone(const Edit& edit, std::size_t edit_count) {
    if (edit_count == 1 || !std::holds_alternative<ReplaceGraph>(edit)) return {};
    return std::unexpected(invalid("replace_graph must be the only edit of its transaction"));
}

Error unknown_edit() {
    return invalid(
        "unknown kind of edit: expected add_node, remove_node, rename_node, connect, disconnect, set_parameter, "
        "change_settings, set_latency_compensation, describe or replace_graph");
}

Error empty_transaction() { return invalid("the transaction is empty: expected edits, a graph or a document"); }
Error no_changes() { return invalid("set_parameters has no changes: expected one or more"); }
Error no_volume_change() { return invalid("set_volume has no change: expected volume_db or add_db"); }

Expected<void> check_fade(float fade_ms) {
    if (fade_ms >= 0.0F && fade_ms <= kMaximumRampMs) return {};
    return std::unexpected(invalid("a fade of " + format_number(fade_ms) + " ms is out of range: expected 0 to " +
                                   format_number(kMaximumRampMs) + " ms"));
}

Expected<float> volume_after(float current_db, float add_db) {
    const float sum = decimal_sum(current_db, add_db);
    if (sum >= kMinimumVolumeDb && sum <= kMaximumVolumeDb) return sum;
    return std::unexpected(invalid("the volume is " + format_number(current_db) + " dB: " + format_number(add_db) +
                                   " dB more would be " + format_number(sum) +
                                   " dB, which is out of range: " + format_number(kMinimumVolumeDb) + " (silence) to " +
                                   format_number(kMaximumVolumeDb) + " dB"));
}

Expected<void> check_distinct(std::span<const std::string> nodes) {
    std::unordered_set<std::string_view> seen;
    for (const std::string& node : nodes) {
        if (!seen.insert(node).second)
            return std::unexpected(invalid("duplicate node " + quoted(node) + ": name each node once"));
    }
    return {};
}

Expected<void> check_scene_name(std::string_view name) {
    if (is_node_name(name)) return {};
    return std::unexpected(invalid("invalid name of a scene: " + quoted(name) +
                                   ": expected a letter, then up to 63 letters, digits, - or _"));
}

Error unknown_scene(std::string_view name, std::span<const std::string_view> names) {
    if (names.empty()) return {ErrorCode::not_found, "unknown scene " + quoted(name) + ": no scene is saved", {}};
    return {ErrorCode::not_found, unknown_name("scene", name, names), {}};
}

Error scene_exists(std::string_view name) {
    return {ErrorCode::already_exists,
            "scene " + quoted(name) + " already exists; remove it first, or choose another name",
            {}};
}

std::string guard_violation(const GuardedState& state, const GuardWish& guard) {
    if (!guard.instance.empty() && guard.instance != state.instance) {
        return "this is instance " + std::string{state.instance} + " of rtad, not the expected " +
               quoted(guard.instance.substr(0, kLongestShown)) + ": it was started again";
    }
    if (guard.revision && *guard.revision != state.revision) {
        return "the graph is at revision " + std::to_string(state.revision) + ", not at the expected revision " +
               std::to_string(*guard.revision) + latest_author(state);
    }
    if (!guard.change) return {};
    if (state.latest_edit > *guard.change) {
        return "change " + std::to_string(state.latest_edit) + " is later than the expected change " +
               std::to_string(*guard.change) + latest_author(state);
    }
    if (*guard.change > state.change) {
        return "the expected change " + std::to_string(*guard.change) + " does not exist: the latest is " +
               std::to_string(state.change);
    }
    return {};
}

Expected<void> check_steps(std::uint32_t steps) {
    if (steps >= 1 && steps <= kMaximumSteps) return {};
    return std::unexpected(
        invalid("steps is " + std::to_string(steps) + ": expected 1 to " + std::to_string(kMaximumSteps)));
}

Error too_few_steps(bool redo, std::string_view author, std::size_t count, std::size_t wanted) {
    const std::string whose = author.empty() ? "" : " of " + std::string{author};
    const std::string what = redo ? "apply again" : "undo";
    if (count == 0) return {ErrorCode::not_found, "no step" + whose + " is left to " + what, {}};
    return {ErrorCode::not_found,
            (count == 1 ? "there is only 1 step" : "there are only " + std::to_string(count) + " steps") + whose +
                " to " + what + ", not " + std::to_string(wanted),
            {}};
}

}  // namespace rta
