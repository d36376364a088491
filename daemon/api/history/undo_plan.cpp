// SPDX-License-Identifier: MIT
#include "api/history/undo_plan.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "api/history/undo_target.h"
#include "graph/edit_checks.h"

namespace rta::api {
namespace {

bool share_a_facet(const NodeChange& a, const NodeChange& b) {
    for (const auto kind : {Facet::Kind::name, Facet::Kind::settings, Facet::Kind::title, Facet::Kind::description}) {
        if (!same_facet(a.before.get(), a.after.get(), {kind}) && !same_facet(b.before.get(), b.after.get(), {kind}))
            return true;
    }
    return false;
}

/// A request may set parameters of several nodes, and some to the values that they have.
bool has_effect(const NodeChange& change) {
    return change.exists_only_once() || change.before->description != change.after->description ||
           change.before->parameters != change.after->parameters;
}

bool collide(const NodeChange& earlier, const NodeChange& later) {
    if (later.exists_only_once()) return has_effect(earlier);
    if (earlier.exists_only_once()) return changes_beyond_parameters(later);  // parameters do not keep a node
    return share_a_facet(earlier, later);
}

bool collide(const GraphChange& a, const GraphChange& b) {
    bool both = false;
    for_each_graph_part([&](auto part) { both |= part(a.before) != part(a.after) && part(b.before) != part(b.after); });
    return both;
}

/// Returns whether a change of existence of a node by `changes` concerns the connection.
bool changes_an_end(const StepChanges& changes, const ConnectionPlace& place) {
    return std::ranges::any_of(std::array{place.to, place.from}, [&](NodeIdentity end) {
        const NodeChange* const change = changes.find(end);
        return change != nullptr && change->exists_only_once();
    });
}

/// Returns whether `earlier` can neither be undone nor applied again while `later` stays.
bool is_in_the_way(const StepChanges& earlier, const StepChanges& later) {
    if (earlier.graph && later.graph && collide(*earlier.graph, *later.graph)) return true;
    if (!earlier.shares_nodes(later)) return false;
    const bool fewer = earlier.nodes.size() < later.nodes.size();
    const StepChanges& others = fewer ? later : earlier;
    for (const NodeChange& change : (fewer ? earlier : later).nodes) {
        const NodeChange* const other = others.find(change.node);
        if (other != nullptr && (fewer ? collide(change, *other) : collide(*other, change))) return true;
    }
    const auto meets_earlier = [&](const ConnectionChange& change) {
        return earlier.find(change.place) != nullptr || changes_an_end(earlier, change.place);
    };
    // What removes or restores a node itself does not depend on the other end of its connections.
    const auto meets_later = [&](const ConnectionChange& change) {
        return changes_an_end(later, change.place) && !changes_an_end(earlier, change.place);
    };
    return std::ranges::any_of(later.connections, meets_earlier) ||
           std::ranges::any_of(earlier.connections, meets_later);
}

class Planner {
 public:
    Planner(std::span<const HistoryStep> steps, const UndoWish& wish, const AudioGraph& graph)
        : steps_{steps}, wish_{wish}, graph_{graph} {}

    Expected<UndoPlan> plan() {
        for (std::set<std::size_t> hopeless;;) {
            auto chosen = choose(hopeless);
            if (!chosen) return std::unexpected(std::move(chosen.error()));
            auto planned = plan_for(*chosen);
            // What one of them needs is gone for good: those before it can still be applied again.
            if (planned || !impossible_ || !wish_.redo || wish_.steps > 1) return planned;
            hopeless.insert(chosen->begin(), chosen->end());
        }
    }

 private:
    [[nodiscard]] bool can_be_taken(std::size_t step) const {
        if (steps_[step].content == nullptr) return false;
        return wish_.redo ? steps_[step].can_be_redone() : !steps_[step].undone;
    }

    /// Returns the steps that the wish asks for.
    [[nodiscard]] Expected<std::set<std::size_t>> choose(const std::set<std::size_t>& hopeless) const {
        std::set<std::size_t> chosen = chosen_before();
        if (!chosen.empty()) return chosen;
        std::vector<std::pair<std::uint64_t, std::size_t>> steps;  // by the order in which they are taken
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            const std::string& author = wish_.redo ? steps_[i].undone_by : steps_[i].author;
            if (!can_be_taken(i) || hopeless.contains(i) || (!wish_.of_all && author != wish_.author)) continue;
            steps.emplace_back(wish_.redo ? steps_[i].undo_order : steps_[i].number, i);
        }
        if (steps.size() < wish_.steps)
            return std::unexpected(
                too_few_steps(wish_.redo, wish_.of_all ? "" : wish_.author, steps.size(), wish_.steps));
        std::ranges::sort(steps, std::greater<>{});
        for (std::size_t i = 0; i < wish_.steps; ++i) chosen.insert(steps[i].second);
        return chosen;
    }

    [[nodiscard]] std::set<std::size_t> chosen_before() const {
        std::set<std::size_t> chosen;
        for (const std::uint64_t number : wish_.chosen) {
            const auto step = std::ranges::lower_bound(steps_, number, {}, &HistoryStep::number);
            if (step == steps_.end() || step->number != number) return {};
            const auto index = static_cast<std::size_t>(step - steps_.begin());
            if (!can_be_taken(index)) return {};
            chosen.insert(index);
        }
        return chosen;
    }

    Expected<UndoPlan> plan_for(const std::set<std::size_t>& chosen) {
        impossible_ = false;
        toggled_ = chosen;
        stays_.clear();
        for (const HistoryStep& step : steps_) stays_.push_back(!step.undone);
        for (const std::size_t step : chosen) stays_[step] = wish_.redo;
        while (true) {
            if (auto good = undo_later_steps(); !good) return std::unexpected(std::move(good.error()));
            const UndoTarget target{steps_, stays_, toggled_, graph_};
            const auto conflict = target.conflict();
            if (!conflict) return result(target, chosen);
            if (auto good = resolve(*conflict); !good) return std::unexpected(std::move(good.error()));
        }
    }

    [[nodiscard]] const StepChanges& changes_of(std::size_t step) const { return steps_[step].content->changes; }

    /// Undoes the steps that are in the way of earlier ones, if they may be.
    Expected<void> undo_later_steps() {
        for (std::size_t later = *toggled_.begin() + 1; later < steps_.size(); ++later) {
            if (!stays_[later] || toggled_.contains(later) || steps_[later].content == nullptr) continue;
            const auto earlier = std::ranges::find_if(toggled_, [&](std::size_t step) {
                return step < later && is_in_the_way(changes_of(step), changes_of(later));
            });
            if (earlier == toggled_.end()) continue;
            if (!wish_.force) return std::unexpected(in_the_way(*earlier, later));
            toggle(later);
        }
        return {};
    }

    void toggle(std::size_t step) {
        toggled_.insert(step);
        stays_[step] = !stays_[step];
    }

    [[nodiscard]] bool applied_again(std::size_t step) const { return toggled_.contains(step) && stays_[step]; }

    /// Undoes the latest of the steps that do not fit together; or applies one again that the others need.
    Expected<void> resolve(const UndoConflict& conflict) {
        std::optional<std::size_t> latest;  // that may be undone
        std::optional<std::size_t> again;   // the latest of those that are applied again
        for (const std::size_t writer : conflict.writers) {
            auto& one = applied_again(writer) ? again : latest;
            one = std::max(one.value_or(writer), writer);
        }
        const std::optional<std::size_t> needed = wish_.redo ? undone_step_for(conflict) : std::nullopt;
        const bool undo = latest && (!needed || !again || *latest > *again);
        if (!undo && !needed) {
            impossible_ = true;
            return fail(ErrorCode::failed_precondition,
                        subject() + " any more: " + conflict.reason + ", and no step that is left has changed that");
        }
        if (!wish_.force) {
            return std::unexpected(undo ? in_the_way(*toggled_.begin(), *latest)
                                        : needs(again.value_or(*toggled_.begin()), *needed));
        }
        toggle(undo ? *latest : *needed);
        return {};
    }

    /// Returns the latest undone step that has changed what is lacking.
    [[nodiscard]] std::optional<std::size_t> undone_step_for(const UndoConflict& conflict) const {
        for (std::size_t step = steps_.size(); step-- > 0;) {
            if (!steps_[step].can_be_redone() || toggled_.contains(step)) continue;
            const bool helps = std::ranges::any_of(conflict.lacking, [&](NodeIdentity node) {
                const NodeChange* const change = changes_of(step).find(node);
                return change != nullptr && change->after != nullptr && changes_beyond_parameters(*change);
            });
            if (helps) return step;
        }
        return std::nullopt;
    }

    [[nodiscard]] std::string subject() const { return subject(*toggled_.begin()); }
    [[nodiscard]] std::string subject(std::size_t step) const {
        return "step " + std::to_string(steps_[step].number) + " cannot be " +
               (wish_.redo ? "applied again" : "undone");
    }
    [[nodiscard]] Error in_the_way(std::size_t step, std::size_t later) const {
        return {ErrorCode::failed_precondition,
                subject(step) + ": " + name_of(steps_[later]) +
                    " has changed the same nodes or connections; expected that step to be undone first, or "
                    "together with it",
                {}};
    }
    [[nodiscard]] Error needs(std::size_t step, std::size_t needed) const {
        return {ErrorCode::failed_precondition,
                subject(step) + ": it needs " + name_of(steps_[needed]) +
                    ", which is undone; expected that step to be applied again first, or together with it",
                {}};
    }

    [[nodiscard]] UndoPlan result(const UndoTarget& target, const std::set<std::size_t>& chosen) const {
        UndoPlan plan{.edits = target.edits(), .concerned = target.concerned(), .size = target.size()};
        for (const std::size_t step : chosen) plan.chosen.push_back(steps_[step].number);
        for (const std::size_t step : toggled_)
            (stays_[step] ? plan.redone : plan.undone).push_back(steps_[step].number);
        std::ranges::reverse(plan.undone);
        return plan;
    }

    std::span<const HistoryStep> steps_;
    const UndoWish& wish_;
    const AudioGraph& graph_;
    std::vector<bool> stays_;        ///< after the plan
    std::set<std::size_t> toggled_;  ///< undone or applied again by the plan
    bool impossible_ = false;        ///< the latest plan was refused for good
};

}  // namespace

Expected<UndoPlan> plan_undo(std::span<const HistoryStep> steps, const UndoWish& wish, const AudioGraph& graph,
                             const NodeRegistry& registry) {
    auto plan = Planner{steps, wish, graph}.plan();
    if (plan) plan->fresh_nodes = fresh_nodes(plan->edits, graph, registry);
    return plan;
}

}  // namespace rta::api
