// SPDX-License-Identifier: MIT
#include "graph/gestures.h"

namespace rta {

bool have_effect(const AudioGraph& graph, std::span<const SetParameter> changes, std::span<const float> before) {
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const auto place = graph.find_parameter(changes[i].node, changes[i].parameter);
        if (place && graph.find(place->node)->parameters[place->index] != before[i]) return true;
    }
    return false;
}

std::vector<Edit> to_edits(std::span<const SetParameter> changes, std::span<const float> values) {
    std::vector<Edit> edits;
    edits.reserve(changes.size());
    for (std::size_t i = 0; i < changes.size(); ++i)
        edits.emplace_back(SetParameter{changes[i].node, changes[i].parameter, values[i], {}});
    return edits;
}

void Gestures::begin(std::uint64_t step, double now_ms) {
    if (latest_.size() == kMostGestures) latest_.erase(latest_.begin());
    latest_.push_back({.step = step, .latest_ms = now_ms, .compared_to = step});
}

void Gestures::forget_before(double time_ms) {
    std::erase_if(latest_, [&](const Gesture& gesture) { return gesture.latest_ms < time_ms; });
}

bool Gestures::set_the_same(std::span<const Edit> edits, std::span<const SetParameter> changes) {
    return std::ranges::equal(edits, changes, [](const Edit& edit, const SetParameter& change) {
        const SetParameter* const set = parameter_of(edit);
        return set != nullptr && set->parameter == change.parameter && set->node == change.node;
    });
}

/// The steps share nodes. If the later one has only set parameters of them, the same names count.
bool Gestures::interfere(std::span<const Edit> gesture, std::span<const Edit> later) {
    return std::ranges::any_of(later, [&](const Edit& edit) {
        const SetParameter* const set = parameter_of(edit);
        return set == nullptr || std::ranges::any_of(gesture, [&](const Edit& own) {
                   return parameter_of(own)->parameter == set->parameter;
               });
    });
}

}  // namespace rta
