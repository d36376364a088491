// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "graph/audio_graph.h"
#include "graph/edit.h"

/// What a history has in common, whether it has one author or many: which changes of parameters are one step. [any]
namespace rta {

/// Returns nullptr if the edit does not set a parameter.
[[nodiscard]] inline const SetParameter* parameter_of(const Edit& edit) { return std::get_if<SetParameter>(&edit); }

/// Returns whether a parameter of the graph has another value than before all changes, which may set it several times.
[[nodiscard]] bool have_effect(const AudioGraph& graph, std::span<const SetParameter> changes,
                               std::span<const float> before);
/// Returns edits that set the parameters to these values.
[[nodiscard]] std::vector<Edit> to_edits(std::span<const SetParameter> changes, std::span<const float> values);

/// Finds the step that changes of parameters continue. Changes of the same parameters in quick succession, such as those of
/// a slider that is dragged, are one step, unless a later step has set one of them, or changed their nodes in another way.
/// The time of a change is bounded: each later step is compared once, and if too much would be compared, a new step begins.
class Gestures {
 public:
    /// The next change follows within this time.
    static constexpr double kLongestPauseMs = 2'000.0;

    /// `now_ms` is the time on a clock that does not go back.
    void begin(std::uint64_t step, double now_ms);
    void clear() { latest_.clear(); }

    /// Returns the step of `steps`, which are sorted by `number`, that the changes continue; nullptr: none.
    /// `can_continue(step)`: whether its author may, and it is not undone. `edits_of(step)`: nullptr if they are not known.
    /// `share_nodes(step, later)`: whether both change the same node.
    [[nodiscard]] auto* continued(auto& steps, double now_ms, std::span<const SetParameter> changes, auto can_continue,
                                  auto edits_of, auto share_nodes) {
        forget_before(now_ms - kLongestPauseMs);
        const auto find = [&](std::uint64_t number) {
            return std::ranges::lower_bound(steps, number, {}, [](const auto& step) { return step.number; });
        };
        for (Gesture& gesture : latest_) {
            const auto step = find(gesture.step);
            if (step == steps.end() || step->number != gesture.step || !can_continue(*step)) continue;
            const std::vector<Edit>* const edits = edits_of(*step);
            if (edits == nullptr || !set_the_same(*edits, changes)) continue;
            const std::uint64_t last = steps.back().number;
            if (last - gesture.compared_to > kMostLaterSteps) continue;
            const bool free = std::none_of(find(gesture.compared_to + 1), steps.end(), [&](const auto& later) {
                const std::vector<Edit>* const others = edits_of(later);
                return others == nullptr || others->size() * edits->size() > kMostCompared ||
                       (share_nodes(*step, later) && interfere(*edits, *others));
            });
            if (!free) continue;
            gesture.compared_to = last;
            gesture.latest_ms = now_ms;
            return &*step;
        }
        return static_cast<decltype(&steps.front())>(nullptr);
    }

 private:
    struct Gesture {
        std::uint64_t step;  ///< its number
        double latest_ms;
        std::uint64_t compared_to;  ///< the number of the latest step that is known not to interfere
    };

    static constexpr std::size_t kMostGestures = 16;  ///< those of other authors may have begun in the meantime
    static constexpr std::uint64_t kMostLaterSteps = 64;
    static constexpr std::size_t kMostCompared = 4'096;  ///< pairs of edits

    void forget_before(double time_ms);
    [[nodiscard]] static bool set_the_same(std::span<const Edit> edits, std::span<const SetParameter> changes);
    [[nodiscard]] static bool interfere(std::span<const Edit> gesture, std::span<const Edit> later);

    std::vector<Gesture> latest_;
};

}  // namespace rta
