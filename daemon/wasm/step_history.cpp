// SPDX-License-Identifier: MIT
#include "wasm/step_history.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "graph/difference.h"
#include "graph/edit_checks.h"
#include "graph/edit_summary.h"

namespace rta::wasm {
namespace {

void set_values(AudioGraph& graph, std::span<const Edit> edits) {
    for (const Edit& edit : edits) {
        const SetParameter& set = *parameter_of(edit);
        if (const auto place = graph.find_parameter(set.node, set.parameter)) graph.set_parameter(*place, set.value);
    }
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
    if (Step* const known = gesture(origin.now_ms, changes)) {
        known->utc_us = origin.utc_us;
        known->through = steps_.back().number;
        for (std::size_t i = 0; i < after.size(); ++i) std::get<SetParameter>(known->edits[i]).value = after[i];
        return;
    }
    Step& step = add(origin, revision);
    step.edits = to_edits(changes, after);
    step.inverse = to_edits(changes, before);
    step.through = step.number;
    step.after = std::make_shared<const AudioGraph>(graph);
    AudioGraph earlier = graph;
    set_values(earlier, step.inverse);
    step.before = std::make_shared<const AudioGraph>(std::move(earlier));
    gestures_.begin(step.number, origin.now_ms);
    bytes_ += memory_of(step);
    drop_oldest();
}

StepHistory::Step& StepHistory::add(const Origin& origin, std::uint64_t revision) {
    Step& step = steps_.emplace_back();
    step.number = next_number_++;
    step.revision = revision;
    step.client_name = origin.client_name;
    step.utc_us = origin.utc_us;
    return step;
}

/// Returns the step that the changes continue.
StepHistory::Step* StepHistory::gesture(double now_ms, std::span<const SetParameter> changes) {
    return gestures_.continued(
        steps_, now_ms, changes, [](const Step& step) { return !step.undone; },
        [](const Step& step) { return &step.edits; },
        [&](const Step& /*step*/, const Step& later) {
            // Graphs share the nodes that a step has not changed.
            return std::ranges::any_of(changes, [&](const SetParameter& change) {
                return later.before->find(change.node) != later.after->find(change.node);
            });
        });
}

/// Returns the graph of a step with the latest values of the gestures up to the step `last`.
StepHistory::Graph StepHistory::with_gestures(const Graph& graph, std::uint64_t step, std::uint64_t last) const {
    auto latest = std::make_shared<AudioGraph>(*graph);
    for (const std::deque<Step>* const steps : {&dropped_, &steps_}) {
        for (const Step& gesture : *steps) {
            if (gesture.number <= last && gesture.through >= step) set_values(*latest, gesture.edits);
        }
    }
    return latest;
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
    return redo ? with_gestures(last.after, last.number, last.number)
                : with_gestures(last.before, last.number, last.number - 1);
}

std::vector<const StepHistory::Step*> StepHistory::carried_out(bool redo, std::size_t steps) {
    std::vector<const Step*> all;
    for (const std::size_t index : chosen(redo, steps)) {
        Step& step = steps_[index];
        step.undone = !redo;
        step.redoable = !redo;
        all.push_back(&step);
    }
    gestures_.clear();
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
        if (place->through > place->number && !place->undone) {
            dropped_.push_back(std::move(*place));
            dropped_.back().before.reset();
            dropped_.back().after.reset();
        }
        steps_.erase(place);
    }
    std::erase_if(dropped_, [&](const Step& step) { return step.through < steps_.front().number; });
}

}  // namespace rta::wasm
