// SPDX-License-Identifier: MIT
#include "api/history/undo_plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>

#include "graph/port_text.h"

namespace rta::api {
namespace {

using Names = std::unordered_set<std::string>;

bool share(const Names& a, const Names& b) {
    const Names& smaller = a.size() < b.size() ? a : b;
    const Names& larger = a.size() < b.size() ? b : a;
    return std::ranges::any_of(smaller, [&](const std::string& name) { return larger.contains(name); });
}

/// What a step has changed, and what it needs. Nodes by their names; connections as "from>to".
class Footprint {
 public:
    Footprint() = default;
    explicit Footprint(const StepContent& content) {
        for (const Edit& edit : content.edits) std::visit(*this, edit);
        for (const Edit& edit : content.inverse) std::visit(*this, edit);
    }

    void operator()(const AddNode& edit) { written.insert(edit.name); }
    void operator()(const RemoveNode& edit) { written.insert(edit.name); }
    void operator()(const RenameNode& edit) {
        written.insert(edit.name);
        written.insert(edit.new_name);
    }
    void operator()(const Connect& edit) { connection(edit.from, edit.to); }
    void operator()(const Disconnect& edit) { connection(edit.from, edit.to); }
    void operator()(const SetParameter& edit) { tuned.insert(edit.node); }
    void operator()(const ChangeSettings& edit) { written.insert(edit.node); }
    void operator()(const SetLatencyCompensation&) { written.insert("@latency compensation"); }
    void operator()(const Describe& edit) {
        written.insert("@texts of " + edit.node);
        if (!edit.node.empty()) joined.insert(edit.node);
    }
    void operator()(const ReplaceGraph&) {}

    void add(const Footprint& other) {
        written.insert(other.written.begin(), other.written.end());
        joined.insert(other.joined.begin(), other.joined.end());
        tuned.insert(other.tuned.begin(), other.tuned.end());
    }
    /// Returns whether it cannot be undone while `later` stays. Parameters that `later` has set do not count.
    [[nodiscard]] bool is_needed_by(const Footprint& later) const {
        return share(written, later.written) || share(written, later.joined) || share(joined, later.written) ||
               share(tuned, later.written);
    }
    /// Returns whether it cannot be applied again while `earlier` is undone.
    [[nodiscard]] bool needs(const Footprint& earlier) const {
        return share(earlier.written, written) || share(earlier.written, joined) || share(earlier.written, tuned) ||
               share(earlier.joined, written);
    }

    Names written;  ///< changed, except for parameters
    Names joined;   ///< nodes of its connections and texts
    Names tuned;    ///< nodes of its parameters

 private:
    void connection(const std::string& from, const std::string& to) {
        written.insert(from + ">" + to);
        joined.insert(std::string{split_port(from).node});
        joined.insert(std::string{split_port(to).node});
    }
};

std::string key_of(const std::string& node, const std::string& parameter) { return node + "." + parameter; }

class Planner {
 public:
    Planner(std::span<const HistoryStep> steps, const UndoWish& wish) : steps_{steps}, wish_{wish} {
        footprints_.reserve(steps.size());
        for (const HistoryStep& step : steps)
            footprints_.push_back(step.content == nullptr ? Footprint{} : Footprint{*step.content});
        for (const HistoryStep& step : steps) stays_.push_back(!step.undone);
        index_parameters();
    }

    Expected<UndoPlan> undo() {
        std::set<std::size_t> chosen;
        for (std::size_t i = steps_.size(); i-- > 0 && chosen.size() < wish_.steps;) {
            if (stays_[i] && (wish_.of_all || steps_[i].author == wish_.author)) chosen.insert(i);
        }
        if (chosen.size() < wish_.steps) return std::unexpected(too_few(chosen.size()));
        if (auto good = undo_dependents(chosen); !good) return std::unexpected(std::move(good.error()));
        return plan({});
    }

    Expected<UndoPlan> redo() {
        std::vector<std::pair<std::uint64_t, std::size_t>> undone;
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            if (steps_[i].can_be_redone() && (wish_.of_all || steps_[i].undone_by == wish_.author))
                undone.emplace_back(steps_[i].undo_order, i);
        }
        if (undone.size() < wish_.steps) return std::unexpected(too_few(undone.size()));
        std::ranges::sort(undone, std::greater<>{});
        std::set<std::size_t> chosen;
        for (std::size_t i = 0; i < wish_.steps; ++i) chosen.insert(undone[i].second);
        if (auto good = redo_conditions(chosen); !good) return std::unexpected(std::move(good.error()));
        for (const std::size_t i : chosen) {
            if (auto good = undo_later(i, chosen); !good) return std::unexpected(std::move(good.error()));
        }
        for (const std::size_t i : chosen) stays_[i] = true;
        return plan(chosen);
    }

 private:
    struct Write {
        std::size_t step;
        float before;
        float after;
    };

    void index_parameters() {
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            if (steps_[i].content == nullptr) continue;
            std::map<std::string, Write> writes;
            for (const Edit& edit : steps_[i].content->edits) {
                if (const auto* set = std::get_if<SetParameter>(&edit))
                    writes.insert_or_assign(key_of(set->node, set->parameter), Write{i, set->value, set->value});
            }
            for (const Edit& edit : steps_[i].content->inverse) {
                const auto* const set = std::get_if<SetParameter>(&edit);
                if (set == nullptr) continue;
                const auto write = writes.find(key_of(set->node, set->parameter));
                if (write != writes.end()) write->second.before = set->value;
            }
            for (const auto& [key, write] : writes) writes_[key].push_back(write);
            for (const std::string& name : footprints_[i].written) structural_[name].push_back(i);
        }
    }

    [[nodiscard]] Error too_few(std::size_t count) const {
        const std::string whose = wish_.of_all ? "" : " of " + wish_.author;
        const std::string what = wish_.redo ? "apply again" : "undo";
        if (count == 0) {
            std::string sentence = "no step" + whose + " is left to " + what;
            if (!wish_.of_all) sentence += "; with of_all, steps of other authors count, too";
            return {ErrorCode::failed_precondition, std::move(sentence), {}};
        }
        return {ErrorCode::failed_precondition,
                (count == 1 ? "there is only 1 step" : "there are only " + std::to_string(count) + " steps") + whose +
                    " to " + what + ", not " + std::to_string(wish_.steps),
                {}};
    }

    [[nodiscard]] Error in_the_way(std::size_t step, std::size_t later) const {
        return {ErrorCode::failed_precondition,
                "step " + std::to_string(steps_[step].number) + " cannot be " +
                    (wish_.redo ? "applied again" : "undone") + ": " + name_of(steps_[later]) +
                    " has changed the same nodes or connections since; expected that step to be undone first, or "
                    "force, which undoes it too",
                {}};
    }

    /// Chooses the later steps that need the chosen ones, too, if they may be undone. Marks all as undone.
    Expected<void> undo_dependents(std::set<std::size_t>& chosen) {
        const auto first = chosen.begin();
        if (first == chosen.end()) return {};
        Footprint all;
        for (std::size_t i = *first; i < steps_.size(); ++i) {
            if (!chosen.contains(i)) {
                if (!stays_[i] || !all.is_needed_by(footprints_[i])) continue;
                if (!wish_.force) return std::unexpected(in_the_way(first_needed_by(i, chosen), i));
                chosen.insert(i);
            }
            all.add(footprints_[i]);
            stays_[i] = false;
        }
        return {};
    }

    [[nodiscard]] std::size_t first_needed_by(std::size_t later, const std::set<std::size_t>& chosen) const {
        const auto found = std::ranges::find_if(
            chosen, [&](std::size_t i) { return i < later && footprints_[i].is_needed_by(footprints_[later]); });
        return found == chosen.end() ? *chosen.begin() : *found;
    }

    /// Undoes the later steps that have changed what step `redone` changes.
    Expected<void> undo_later(std::size_t redone, const std::set<std::size_t>& all_redone) {
        std::set<std::size_t> later;
        for (std::size_t i = redone + 1; i < steps_.size(); ++i) {
            if (!stays_[i] || all_redone.contains(i) || !footprints_[redone].is_needed_by(footprints_[i])) continue;
            if (!wish_.force) return std::unexpected(in_the_way(redone, i));
            later.insert(i);
        }
        return undo_dependents(later);
    }

    /// Chooses the earlier steps that the chosen ones need and that are undone, if they may be applied again.
    Expected<void> redo_conditions(std::set<std::size_t>& chosen) {
        for (std::vector<std::size_t> open{chosen.begin(), chosen.end()}; !open.empty();) {
            const std::size_t step = open.back();
            open.pop_back();
            for (std::size_t i = 0; i < step; ++i) {
                if (!steps_[i].can_be_redone() || chosen.contains(i) || !footprints_[step].needs(footprints_[i]))
                    continue;
                if (!wish_.force) {
                    return fail(ErrorCode::failed_precondition,
                                "step " + std::to_string(steps_[step].number) + " cannot be applied again: it needs " +
                                    name_of(steps_[i]) +
                                    ", which is undone; expected that step to be applied again first, or force, which "
                                    "applies it too");
                }
                chosen.insert(i);
                open.push_back(i);
            }
        }
        return {};
    }

    UndoPlan plan(const std::set<std::size_t>& redone) {
        UndoPlan plan;
        for (std::size_t i = steps_.size(); i-- > 0;) {
            if (stays_[i] || steps_[i].undone) continue;
            plan.undone.push_back(steps_[i].number);
            for (const Edit& edit : steps_[i].content->inverse) append(edit, i, false, plan.edits);
        }
        for (const std::size_t i : redone) {
            plan.redone.push_back(steps_[i].number);
            for (const Edit& edit : steps_[i].content->edits) append(edit, i, true, plan.edits);
        }
        return plan;
    }

    void append(const Edit& edit, std::size_t step, bool redone, std::vector<Edit>& edits) const {
        if (const auto* set = std::get_if<SetParameter>(&edit)) {
            SetParameter change = *set;
            const std::string key = key_of(set->node, set->parameter);
            if (latest_that_stays(key, step) != nullptr) return;
            if (!redone) change.value = value_before(key, *set, step);
            edits.emplace_back(std::move(change));
        } else if (const auto* add = std::get_if<AddNode>(&edit)) {
            AddNode node = *add;
            for (auto& [parameter, value] : node.parameters) {
                if (const Write* const later = latest_that_stays(key_of(node.name, parameter), step))
                    value = later->after;
            }
            edits.emplace_back(std::move(node));
        } else {
            edits.push_back(edit);
        }
    }

    /// Returns the latest change of the parameter after a step that stays.
    [[nodiscard]] const Write* latest_that_stays(const std::string& key, std::size_t step) const {
        const auto found = writes_.find(key);
        if (found == writes_.end()) return nullptr;
        for (auto write = found->second.rbegin(); write != found->second.rend() && write->step > step; ++write) {
            if (stays_[write->step]) return &*write;
        }
        return nullptr;
    }

    /// Returns the value that the parameter had before a step, without the steps before it that are undone.
    [[nodiscard]] float value_before(const std::string& key, const SetParameter& change, std::size_t step) const {
        float value = change.value;
        const auto found = writes_.find(key);
        if (found == writes_.end()) return value;
        for (auto write = found->second.rbegin(); write != found->second.rend(); ++write) {
            if (write->step >= step) continue;
            if (stays_[write->step] || rebuilt_between(change.node, write->step, step)) break;
            value = write->before;
        }
        return value;
    }

    [[nodiscard]] bool rebuilt_between(const std::string& node, std::size_t first, std::size_t last) const {
        const auto found = structural_.find(node);
        if (found == structural_.end()) return false;
        const auto next = std::ranges::lower_bound(found->second, first);
        return next != found->second.end() && *next < last;
    }

    std::span<const HistoryStep> steps_;
    const UndoWish& wish_;
    std::vector<Footprint> footprints_;
    std::vector<bool> stays_;                                               ///< after the plan
    std::unordered_map<std::string, std::vector<Write>> writes_;            ///< by parameter, in the order of the steps
    std::unordered_map<std::string, std::vector<std::size_t>> structural_;  ///< by node, in the order of the steps
};

/// Which nodes exist while edits are applied in order.
class NodesDuring {
 public:
    explicit NodesDuring(const AudioGraph& graph) : graph_{graph} {}

    [[nodiscard]] bool exists(const std::string& name) const {
        const auto changed = changed_.find(name);
        return changed != changed_.end() ? changed->second : graph_.find(name) != nullptr;
    }
    void apply(const Edit& edit) {
        if (const auto* add = std::get_if<AddNode>(&edit)) changed_[add->name] = true;
        if (const auto* remove = std::get_if<RemoveNode>(&edit)) changed_[remove->name] = false;
        if (const auto* rename = std::get_if<RenameNode>(&edit)) {
            changed_[rename->name] = false;
            changed_[rename->new_name] = true;
        }
    }

 private:
    const AudioGraph& graph_;
    std::unordered_map<std::string, bool> changed_;
};

/// Removes changes of parameters of nodes that do not exist: the step that has added them is undone.
void drop_changes_of_missing_nodes(const AudioGraph& graph, std::vector<Edit>& edits) {
    NodesDuring nodes{graph};
    std::erase_if(edits, [&](const Edit& edit) {
        nodes.apply(edit);
        const auto* const set = std::get_if<SetParameter>(&edit);
        return set != nullptr && !nodes.exists(set->node);
    });
}

}  // namespace

std::vector<std::string> fresh_nodes(std::span<const Edit> edits, const AudioGraph& graph,
                                     const NodeRegistry& registry) {
    std::set<std::string> fresh;
    for (const Edit& edit : edits) {
        if (const auto* add = std::get_if<AddNode>(&edit)) {
            const NodeType* const type = registry.find(add->type);
            if (type != nullptr && type->remembers_input) fresh.insert(add->name);
        } else if (const auto* change = std::get_if<ChangeSettings>(&edit)) {
            const GraphNode* const node = graph.find(change->node);
            if (node != nullptr && node->description->type->remembers_input) fresh.insert(change->node);
        } else if (const auto* remove = std::get_if<RemoveNode>(&edit)) {
            fresh.erase(remove->name);
        }
    }
    return {fresh.begin(), fresh.end()};
}

Expected<UndoPlan> plan_undo(std::span<const HistoryStep> steps, const UndoWish& wish, const AudioGraph& graph,
                             const NodeRegistry& registry) {
    Planner planner{steps, wish};
    auto plan = wish.redo ? planner.redo() : planner.undo();
    if (!plan) return plan;
    drop_changes_of_missing_nodes(graph, plan->edits);
    plan->fresh_nodes = fresh_nodes(plan->edits, graph, registry);
    return plan;
}

}  // namespace rta::api
