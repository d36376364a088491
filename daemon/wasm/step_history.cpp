// SPDX-License-Identifier: MIT
#include "wasm/step_history.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "graph/difference.h"
#include "graph/edit_checks.h"
#include "graph/edit_summary.h"
#include "graph/port_text.h"

namespace rta::wasm {
namespace {

/// Later steps that a change of an earlier gesture may have.
constexpr std::size_t kMostLaterSteps = 64;

const SetParameter* parameter_of(const Edit& edit) { return std::get_if<SetParameter>(&edit); }

/// Returns whether a parameter has another value than before all changes, which may set it several times.
bool have_effect(const AudioGraph& graph, std::span<const SetParameter> changes, std::span<const float> before) {
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const auto place = graph.find_parameter(changes[i].node, changes[i].parameter);
        if (place && graph.find(place->node)->parameters[place->index] != before[i]) return true;
    }
    return false;
}

bool sets_the_same(const std::vector<Edit>& edits, std::span<const SetParameter> changes) {
    return std::ranges::equal(edits, changes, [](const Edit& edit, const SetParameter& change) {
        const SetParameter* const set = parameter_of(edit);
        return set != nullptr && set->parameter == change.parameter && set->node == change.node;
    });
}

/// The nodes that an edit names; empty texts besides.
struct NamedNodes {
    using Names = std::array<std::string_view, 2>;
    Names operator()(const AddNode& edit) const { return {edit.name, {}}; }
    Names operator()(const RemoveNode& edit) const { return {edit.name, {}}; }
    Names operator()(const RenameNode& edit) const { return {edit.name, edit.new_name}; }
    Names operator()(const Connect& edit) const { return {split_port(edit.from).node, split_port(edit.to).node}; }
    Names operator()(const Disconnect& edit) const { return {split_port(edit.from).node, split_port(edit.to).node}; }
    Names operator()(const SetParameter& edit) const { return {edit.node, {}}; }
    Names operator()(const ChangeSettings& edit) const { return {edit.node, {}}; }
    Names operator()(const SetLatencyCompensation&) const { return {}; }
    Names operator()(const Describe& edit) const { return {edit.node, {}}; }
    Names operator()(const ReplaceGraph&) const { return {}; }
};

/// Returns whether a later step may have set one of the parameters, or changed their nodes in another way.
bool interferes(std::span<const SetParameter> changes, const StepHistory::Step& later) {
    return std::ranges::any_of(later.edits, [&](const Edit& edit) {
        const NamedNodes::Names names = std::visit(NamedNodes{}, edit);
        const SetParameter* const set = parameter_of(edit);
        return std::ranges::any_of(changes, [&](const SetParameter& change) {
            return (change.node == names[0] || change.node == names[1]) &&
                   (set == nullptr || set->parameter == change.parameter);
        });
    });
}

void set_values(AudioGraph& graph, std::span<const SetParameter> changes, std::span<const float> values) {
    for (std::size_t i = 0; i < changes.size(); ++i) {
        if (const auto place = graph.find_parameter(changes[i].node, changes[i].parameter))
            graph.set_parameter(*place, values[i]);
    }
}

std::vector<Edit> to_edits(std::span<const SetParameter> changes, std::span<const float> values) {
    std::vector<Edit> edits;
    edits.reserve(changes.size());
    for (std::size_t i = 0; i < changes.size(); ++i)
        edits.emplace_back(SetParameter{changes[i].node, changes[i].parameter, values[i], {}});
    return edits;
}

}  // namespace

std::string StepHistory::Step::summary() const { return label.empty() ? summary_of(edits) : label; }

void StepHistory::record(const Origin& origin, std::uint64_t revision, const AudioGraph& before,
                         const AudioGraph& after, std::string label) {
    std::vector<Edit> edits = difference(before, after);
    // A node that was replaced by an equal one of the same name is another one.
    if (edits.empty() && difference(before, after, Pairs::by_identity).empty()) return;
    discard_redo();
    Step& step = add(origin, revision);
    step.label = std::move(label);
    step.edits = std::move(edits);
    step.inverse = difference(after, before);
    step.before = std::make_shared<const AudioGraph>(before);
    step.after = std::make_shared<const AudioGraph>(after);
    bytes_ += memory_of(step);
    drop_oldest();
}

void StepHistory::record(const Origin& origin, std::uint64_t revision, const AudioGraph& graph,
                         std::span<const SetParameter> changes, std::span<const float> before,
                         std::span<const float> after) {
    if (!have_effect(graph, changes, before)) return;
    discard_redo();
    if (const std::size_t known = gesture(origin.now_ms, changes); known < steps_.size()) {
        steps_[known].latest_ms = origin.now_ms;
        steps_[known].utc_us = origin.utc_us;
        return extend(known, graph, changes, after);
    }
    Step& step = add(origin, revision);
    step.gesture = true;
    step.edits = to_edits(changes, after);
    step.inverse = to_edits(changes, before);
    step.after = std::make_shared<const AudioGraph>(graph);
    AudioGraph earlier = graph;
    // The first change of a parameter has its earliest value.
    for (std::size_t i = changes.size(); i-- > 0;) set_values(earlier, changes.subspan(i, 1), before.subspan(i, 1));
    step.before = std::make_shared<const AudioGraph>(std::move(earlier));
    bytes_ += memory_of(step);
    drop_oldest();
}

StepHistory::Step& StepHistory::add(const Origin& origin, std::uint64_t revision) {
    Step& step = steps_.emplace_back();
    step.number = next_number_++;
    step.revision = revision;
    step.client_name = origin.client_name;
    step.utc_us = origin.utc_us;
    step.latest_ms = origin.now_ms;
    return step;
}

/// Returns the index of the step that the changes continue, or the number of steps.
std::size_t StepHistory::gesture(double now_ms, std::span<const SetParameter> changes) const {
    for (std::size_t index = steps_.size(); index-- > 0 && steps_.size() - index <= kMostLaterSteps;) {
        const Step& step = steps_[index];
        if (step.gesture && !step.undone && now_ms - step.latest_ms <= kOneGestureMs &&
            sets_the_same(step.edits, changes))
            return index;
        if (!step.undone && interferes(changes, step)) break;
    }
    return steps_.size();
}

/// Later steps have the values, too.
void StepHistory::extend(std::size_t index, const AudioGraph& graph, std::span<const SetParameter> changes,
                         std::span<const float> after) {
    for (std::size_t i = 0; i < after.size(); ++i) std::get<SetParameter>(steps_[index].edits[i]).value = after[i];
    const auto with_values = [&](const Graph& old) {
        auto changed = std::make_shared<AudioGraph>(*old);
        set_values(*changed, changes, after);
        return Graph{std::move(changed)};
    };
    for (std::size_t later = index; later < steps_.size(); ++later) {
        if (later != index) steps_[later].before = with_values(steps_[later].before);
        const bool last = later + 1 == steps_.size();
        steps_[later].after = last && !steps_[later].undone ? std::make_shared<const AudioGraph>(graph)
                                                            : with_values(steps_[later].after);
    }
}

/// A new change: what is undone can no longer be applied again.
void StepHistory::discard_redo() {
    for (Step& step : steps_) step.redoable = false;
}

/// Returns the indices of the steps of an undo, the latest first, or of a redo, the earliest first; as many as there are.
std::vector<std::size_t> StepHistory::chosen(bool redo, std::size_t steps) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < steps_.size() && found.size() < steps; ++i) {
        const std::size_t index = redo ? i : steps_.size() - 1 - i;
        if (redo ? steps_[index].redoable : !steps_[index].undone) found.push_back(index);
    }
    return found;
}

Expected<StepHistory::Graph> StepHistory::target(bool redo, std::size_t steps, std::string_view author) const {
    const std::vector<std::size_t> found = chosen(redo, steps);
    if (found.size() < steps) return std::unexpected(too_few_steps(redo, author, found.size(), steps));
    const Step& last = steps_[found.back()];
    return redo ? last.after : last.before;
}

std::vector<const StepHistory::Step*> StepHistory::carried_out(bool redo, std::size_t steps) {
    std::vector<const Step*> all;
    for (const std::size_t index : chosen(redo, steps)) {
        Step& step = steps_[index];
        step.undone = !redo;
        step.redoable = !redo;
        all.push_back(&step);
    }
    for (Step& step : steps_) step.gesture = false;
    return all;
}

std::size_t StepHistory::memory_of(const Step& step) {
    constexpr std::size_t kPointer = 16;  // to a node
    constexpr std::size_t kEdit = 320;
    return sizeof step + kEdit * (step.edits.size() + step.inverse.size()) +
           kPointer * (step.before->node_count() + step.after->node_count());
}

/// First, those that are undone for good.
void StepHistory::drop_oldest() {
    while (steps_.size() > kMaximumSteps || (bytes_ > kMaximumBytes && steps_.size() > 1)) {
        const auto discarded =
            std::ranges::find_if(steps_, [](const Step& step) { return step.undone && !step.redoable; });
        const auto place = discarded == steps_.end() ? steps_.begin() : discarded;
        bytes_ -= std::min(bytes_, memory_of(*place));
        steps_.erase(place);
    }
}

}  // namespace rta::wasm
