// SPDX-License-Identifier: MIT
#include "api/history/history.h"

#include <algorithm>
#include <functional>
#include <ranges>
#include <set>
#include <unordered_set>
#include <utility>
#include <variant>

#include "api/exception_barrier.h"
#include "api/history/history_changes.h"
#include "api/history/saved_history.h"
#include "graph/difference.h"

namespace rta::api {
namespace {

/// Upper bound of the memory that one element of difference_size() takes until the difference is computed.
constexpr std::size_t kBytesOfDifference = 64;

/// On the clock of the gestures.
double milliseconds(TimePoint time) {
    return std::chrono::duration<double, std::milli>{time.time_since_epoch()}.count();
}

using ParameterNames = std::set<std::pair<std::string_view, std::string_view>>;

/// Adds the parameters that a step has changed which sets nothing else; not those that had their values already.
void add_changed(const StepChanges& changes, ParameterNames& names) {
    for (const NodeChange& change : changes.nodes) {
        const NodeDescription& description = *change.after->description;
        for (std::size_t p = 0; p < change.after->parameters.size(); ++p) {
            if (change.after->parameters[p] != change.before->parameters[p])
                names.emplace(description.name, description.layout.parameters[p].name);
        }
    }
}

/// The nodes and the names that a plan of an undo uses.
class PlannedPlaces {
 public:
    explicit PlannedPlaces(const UndoPlan& plan) : plan_{plan} {
        changes_.concerned = plan.concerned;
        for (const Edit& edit : plan.edits) {
            if (const auto* add = std::get_if<AddNode>(&edit)) taken_.insert(add->name);
            if (const auto* change = std::get_if<ChangeSettings>(&edit)) rebuilt_.insert(change->node);
            if (const auto* rename = std::get_if<RenameNode>(&edit)) {
                taken_.insert(rename->new_name);
                rebuilt_.insert(rename->name);
            }
        }
    }

    [[nodiscard]] bool shares_nodes(const StepChanges& changes) const { return changes.shares_nodes(changes_); }
    /// Returns whether the step changes the whole graph, or has a node with a name that the plan needs.
    [[nodiscard]] bool takes_a_name(const StepChanges& changes) const {
        return changes.graph || std::ranges::any_of(changes.nodes, [&](const NodeChange& change) {
                   return change.after != nullptr && taken_.contains(change.after->description->name);
               });
    }
    /// Returns whether the step only sets parameters, which mean the same before and after the plan.
    [[nodiscard]] bool can_be_merged(const HistoryStep& step) const {
        if (step.transaction || step.undone || std::ranges::find(plan_.undone, step.number) != plan_.undone.end())
            return false;
        const auto stays = [&](const Edit& edit) {
            const SetParameter* const set = parameter_of(edit);
            return set != nullptr && !rebuilt_.contains(set->node);
        };
        return std::ranges::all_of(step.content->edits, stays) &&
               std::ranges::none_of(step.content->changes.nodes, [](const NodeChange& change) {
                   return change.after == nullptr || change.after->description->type->check != nullptr;
               });
    }

 private:
    const UndoPlan& plan_;
    StepChanges changes_;
    std::unordered_set<std::string_view> taken_;
    std::unordered_set<std::string_view> rebuilt_;  ///< nodes that get other names or settings
};

/// Returns the present values of the parameters that the edits set, as far as others have set them.
std::optional<std::vector<SetParameter>> values_of(std::span<const Edit> edits, const ParameterNames& set,
                                                   const AudioGraph& graph) {
    std::vector<SetParameter> values;
    if (set.empty()) return values;
    for (const Edit& edit : edits) {
        const SetParameter* const planned = parameter_of(edit);
        if (planned == nullptr || !set.contains({planned->node, planned->parameter})) continue;
        const auto place = graph.find_parameter(planned->node, planned->parameter);
        if (!place) return std::nullopt;
        values.push_back({planned->node, planned->parameter, graph.find(place->node)->parameters[place->index], {}});
    }
    return values;
}

}  // namespace

std::int64_t History::utc_now() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

History::History(Engine& engine, Workers& workers, std::function<void()> changed, UtcClock utc)
    : engine_{engine}, workers_{workers}, changed_{std::move(changed)}, utc_{std::move(utc)} {}

ComparedStep History::compare(const AudioGraph& before) const {
    ComparedStep compared;
    const auto done = guarded("comparing graphs", [&] {
        if (difference_size(before, engine_.graph()) > kComparedHere) return;
        compared.recorded = StepContent::between(before, engine_.graph());
        compared.published = StepContent{.edits = {}, .inverse = compared.recorded->inverse, .changes = {}};
    });
    return done ? std::move(compared) : ComparedStep{};
}

void History::record(const Who& who, std::uint64_t revision, AudioGraph before, std::optional<StepContent> content,
                     const std::string& label) {
    if (content && content->changes.empty()) return;
    const auto recorded = guarded("recording a transaction", [&] {
        discard_redo(who.author);
        HistoryStep& step = add(who, revision);
        step.label = label;
        step.transaction = true;
        if (content) {
            set_content(step, std::make_shared<StepContent>(std::move(*content)));
        } else {
            step.graphs = std::make_shared<StepGraphs>(std::move(before), engine_.snapshot());
            bytes_ += memory_of(step);
            compute(step.number);
        }
        drop_oldest();
    });
    if (!recorded) forget();
}

void History::record(const Who& who, std::uint64_t revision, TimePoint now, std::span<const SetParameter> changes,
                     std::span<const float> before, std::span<const float> after) {
    if (!have_effect(engine_.graph(), changes, before)) return;
    const auto recorded = guarded("recording changes of parameters", [&] {
        discard_redo(who.author);
        if (HistoryStep* const known = gesture(who.author, now, changes)) return extend(*known, changes, after);
        HistoryStep& step = add(who, revision);
        set_content(step,
                    std::make_shared<StepContent>(StepContent{to_edits(changes, after), to_edits(changes, before),
                                                              StepChanges::of(engine_.graph(), changes, before)}));
        gestures_.begin(step.number, milliseconds(now));
        drop_oldest();
    });
    if (!recorded) forget();
}

/// Returns the step that the changes continue.
HistoryStep* History::gesture(std::string_view author, TimePoint now, std::span<const SetParameter> changes) {
    return gestures_.continued(
        steps_, milliseconds(now), changes,
        [&](const HistoryStep& step) { return !step.undone && step.author == author; },
        [](const HistoryStep& step) { return step.content == nullptr ? nullptr : &step.content->edits; },
        [](const HistoryStep& step, const HistoryStep& later) {
            return step.content->changes.shares_nodes(later.content->changes);
        });
}

void History::extend(HistoryStep& step, std::span<const SetParameter> changes, std::span<const float> after) {
    step.changed_at = ++generation_;
    note_change(step);
    // Others may read a copy, which the control thread destroys.
    if (step.content.use_count() > 1) step.content = std::make_shared<StepContent>(*step.content);
    // Every StepContent is created as a non-const object; only the pointer is const.
    auto& content = const_cast<StepContent&>(*step.content);
    for (std::size_t i = 0; i < after.size(); ++i) std::get<SetParameter>(content.edits[i]).value = after[i];
    content.changes.extend(engine_.graph(), changes);
    step.utc_us = utc_();
}

std::optional<std::vector<SetParameter>> History::values_since(const UndoPlan& plan, std::uint64_t generation) const {
    if (generation == generation_) return std::vector<SetParameter>{};
    const auto is = [&](std::uint64_t number, bool undone) {
        const auto found = std::ranges::lower_bound(steps_, number, {}, &HistoryStep::number);
        return found != steps_.end() && found->number == number && found->undone == undone;
    };
    if (!std::ranges::all_of(plan.undone, [&](std::uint64_t number) { return is(number, false); })) return std::nullopt;
    if (!std::ranges::all_of(plan.redone, [&](std::uint64_t number) { return is(number, true); })) return std::nullopt;
    // The present values are those of a step that comes after what the plan undoes or applies again.
    const auto is_before = [&](const HistoryStep& step, std::uint64_t toggled) {
        if (toggled <= step.number) return false;
        const auto later = std::ranges::lower_bound(steps_, toggled, {}, &HistoryStep::number);
        return later->content == nullptr || later->content->changes.shares_nodes(step.content->changes);
    };
    const auto is_before_plan = [&](const HistoryStep& step) {
        const auto before = [&](std::uint64_t toggled) { return is_before(step, toggled); };
        return std::ranges::any_of(plan.undone, before) || std::ranges::any_of(plan.redone, before);
    };
    const PlannedPlaces planned{plan};
    ParameterNames set;
    for (const HistoryStep& step : steps_) {
        if (step.changed_at <= generation) continue;
        if (step.content == nullptr || planned.takes_a_name(step.content->changes)) return std::nullopt;
        if (!planned.shares_nodes(step.content->changes)) continue;
        if (!planned.can_be_merged(step) || is_before_plan(step)) return std::nullopt;
        add_changed(step.content->changes, set);
    }
    return values_of(plan.edits, set, engine_.graph());
}

void History::carried_out(const UndoPlan& plan, std::string_view author) {
    const auto recorded = guarded("recording an undo", [&] {
        for (const std::uint64_t number : plan.undone) {
            HistoryStep* const step = find(number);
            if (step == nullptr || step->undone) continue;
            step->changed_at = generation_ + 1;
            note_change(*step);
            step->undone = true;
            step->undone_by = author;
            step->undo_order = next_order_++;
            ++redoable_;
        }
        for (const std::uint64_t number : plan.redone) {
            HistoryStep* const step = find(number);
            if (step == nullptr || !step->undone) continue;
            step->changed_at = generation_ + 1;
            note_change(*step);
            step->undone = false;
            step->undone_by.clear();
            step->undo_order = 0;
            --redoable_;
        }
        gestures_.clear();
        ever_undone_ = true;
        ++generation_;
    });
    if (!recorded) forget();
}

HistoryMark History::mark() const {
    std::vector<const HistoryStep*> undone;
    for (const HistoryStep& step : steps_) {
        if (step.undone) undone.push_back(&step);
    }
    std::ranges::sort(undone, {}, &HistoryStep::undo_order);
    HistoryMark mark{.next_number = next_number_};
    for (const HistoryStep* const step : undone)
        mark.undone.push_back({step->number, step->undone_by, step->undo_order != 0});
    return mark;
}

std::vector<HistoryStep> History::revert(const HistoryMark& mark, std::string_view author) {
    std::set<std::uint64_t, std::greater<>> changed;
    std::vector<HistoryStep> result;
    const auto recorded = guarded("recording a revert", [&] {
        for (HistoryStep& step : steps_) {
            const bool was_undone =
                std::ranges::find(mark.undone, step.number, &HistoryMark::Undone::number) != mark.undone.end();
            if (!step.undone || was_undone) continue;
            // Later changes of parameters stay, also if they were undone: the undo is reverted.
            if (step.number >= mark.next_number && step.transaction) continue;
            changed.insert(step.number);
            set_undone(step, false, {}, false);
        }
        for (const HistoryMark::Undone& undone : mark.undone) {
            HistoryStep* const step = find(undone.number);
            if (step == nullptr) continue;
            if (!step->undone) changed.insert(step->number);
            set_undone(*step, true, undone.by, undone.can_be_redone);
        }
        // The latest first, so that the earliest is the first to be applied again.
        for (HistoryStep& step : steps_ | std::views::reverse) {
            if (step.number < mark.next_number) break;
            if (!step.transaction || step.undone) continue;
            changed.insert(step.number);
            set_undone(step, true, author, true);
        }
        gestures_.clear();
        ever_undone_ = true;
        ++generation_;
        for (const std::uint64_t number : changed) result.push_back(*find(number));
    });
    if (!recorded) forget();
    return result;
}

void History::set_undone(HistoryStep& step, bool undone, std::string_view by, bool can_be_redone) {
    if (step.undo_order != 0) --redoable_;
    if (step.undone && step.undo_order == 0) --discarded_;
    step.changed_at = generation_ + 1;
    note_change(step);
    step.undone = undone;
    step.undone_by = by;
    step.undo_order = can_be_redone ? next_order_++ : 0;
    if (step.undo_order != 0) ++redoable_;
    if (step.undone && step.undo_order == 0) ++discarded_;
}

/// A new edit of an author: what it has undone can no longer be applied again.
void History::discard_redo(std::string_view author) {
    if (redoable_ == 0) return;
    for (HistoryStep& step : steps_) {
        if (step.undo_order == 0 || step.undone_by != author) continue;
        step.undo_order = 0;
        --redoable_;
        ++discarded_;
        step.changed_at = ++generation_;
    }
}

HistoryStep& History::add(const Who& who, std::uint64_t revision) {
    ++generation_;
    HistoryStep& step = steps_.emplace_back(HistoryStep{.number = next_number_++,
                                                        .revision = revision,
                                                        .author = std::string{who.author},
                                                        .client_name = std::string{who.client_name},
                                                        .utc_us = utc_(),
                                                        .changed_at = generation_});
    note_change(step);
    return step;
}

void History::compute(std::uint64_t number) {
    struct Job {
        std::shared_ptr<const StepGraphs> graphs;
        std::optional<StepContent> content{};
    };
    const auto job = std::make_shared<Job>(find(number)->graphs);
    ++computing_;
    const auto started = guarded("comparing graphs", [&] {
        workers_.run(
            "comparing graphs",
            [job] { job->content = StepContent::between(job->graphs->before, job->graphs->after->graph); },
            [this, job, number, alive = std::weak_ptr{alive_}](const Expected<void>&) {
                job->graphs.reset();  // on this thread
                if (!alive.expired()) computed(number, std::move(job->content));
            },
            Workers::Lane::answers);
    });
    if (!started) computed(number, std::nullopt);
}

void History::computed(std::uint64_t number, std::optional<StepContent> content) {
    --computing_;
    HistoryStep* const step = find(number);
    const auto taken = guarded("recording a transaction", [&] {
        if (step == nullptr || !content) return;
        bytes_ -= memory_of(*step);
        step->graphs.reset();
        // A transaction without effect is not a step.
        if (content->changes.empty()) {
            std::erase_if(steps_, [number](const HistoryStep& one) { return one.number == number; });
            return;
        }
        set_content(*step, std::make_shared<StepContent>(std::move(*content)));
        drop_oldest();
    });
    if (!taken || (step != nullptr && !content)) forget();
    ++generation_;
    changed_();
    resume_waiting();
}

void History::resume_waiting() {
    if (computing()) return;
    for (const CallHandle& handle : std::exchange(waiting_, {})) {
        handle.resume([](Call&) {});
    }
}

HistoryStep* History::find(std::uint64_t number) {
    const auto found = std::ranges::lower_bound(steps_, number, {}, &HistoryStep::number);
    return found != steps_.end() && found->number == number ? &*found : nullptr;
}

void History::set_content(HistoryStep& step, std::shared_ptr<const StepContent> content) {
    step.content = std::move(content);
    note_change(step);
    bytes_ += memory_of(step);
}

std::size_t History::memory_of(const HistoryStep& step) {
    std::size_t bytes = sizeof step + step.author.size() + step.client_name.size() + step.label.size();
    if (step.content != nullptr) bytes += step.content->memory_bytes();
    if (step.graphs != nullptr)
        bytes += kBytesOfDifference * difference_size(step.graphs->before, step.graphs->after->graph);
    return bytes;
}

/// First, those that are undone for good.
void History::drop_oldest() {
    while (steps_.size() > kMaximumSteps || (bytes_ > kMaximumBytes && steps_.size() > 1)) {
        const auto is_discarded = [](const HistoryStep& step) { return step.undone && step.undo_order == 0; };
        const auto discarded = discarded_ == 0 ? steps_.end() : std::ranges::find_if(steps_, is_discarded);
        drop(discarded == steps_.end() ? 0 : static_cast<std::size_t>(discarded - steps_.begin()));
    }
}

void History::drop(std::size_t index) {
    if (ever_undone_) pass_on(index);
    const HistoryStep& step = steps_[index];
    bytes_ -= memory_of(step);
    if (step.undo_order != 0) --redoable_;
    if (step.undone && step.undo_order == 0) --discarded_;
    steps_.erase(steps_.begin() + static_cast<std::ptrdiff_t>(index));
}

/// The first step that has changed a part of the graph has its value before all steps. When it is dropped, the next step
/// that has changed that part gets the value.
void History::pass_on(std::size_t index) {
    if (steps_[index].content == nullptr) return;
    const std::shared_ptr<const StepContent> content = steps_[index].content;
    for (const NodeChange& change : content->changes.nodes) pass_on_node(index, change);
    for (const ConnectionChange& change : content->changes.connections) pass_on_connection(index, change);
    if (content->changes.graph) pass_on_graph(index, *content->changes.graph);
}

void History::pass_on_graph(std::size_t index, const GraphChange& change) {
    const GraphRecord& value = steps_[index].undone ? change.before : change.after;
    for_each_graph_part([&](auto part) {
        if (part(change.before) == part(change.after)) return;
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            if (i == index || steps_[i].content == nullptr || !steps_[i].content->changes.graph) continue;
            const auto& [before, after] = *steps_[i].content->changes.graph;
            if (part(before) == part(after)) continue;
            if (i > index) part(writable_changes(i).graph->before) = part(value);
            return;
        }
    });
}

void History::pass_on_node(std::size_t index, const NodeChange& change) {
    const SharedRecord& value = steps_[index].undone ? change.before : change.after;
    if (value == nullptr) return;  // no later step can change it
    const auto facets = different_facets(change.before.get(), change.after.get());
    std::set<Facet> left{facets.begin(), facets.end()};
    for (std::size_t i = 0; i < steps_.size() && !left.empty(); ++i) {
        if (i == index || steps_[i].content == nullptr) continue;
        const NodeChange* const other = steps_[i].content->changes.find(change.node);
        if (other == nullptr) continue;
        FacetValues values;
        for (Facet& facet : different_facets(other->before.get(), other->after.get())) {
            if (left.erase(facet) == 0 || i < index || other->before == nullptr) continue;
            if (!same_facet(other->before.get(), value.get(), facet)) values.emplace(std::move(facet), value.get());
        }
        if (values.empty()) continue;
        auto& nodes = writable_changes(i).nodes;
        NodeChange& next = *std::ranges::lower_bound(nodes, change.node, {}, &NodeChange::node);
        next.before = with_facets(next.before, values);
    }
}

void History::pass_on_connection(std::size_t index, const ConnectionChange& change) {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        if (i == index || steps_[i].content == nullptr) continue;
        const ConnectionChange* const other = steps_[i].content->changes.find(change.place);
        if (other == nullptr) continue;
        const auto& value = steps_[index].undone ? change.before : change.after;
        if (i < index || other->before == value) return;
        auto& connections = writable_changes(i).connections;
        std::ranges::lower_bound(connections, change.place, {}, &ConnectionChange::place)->before = value;
        return;
    }
}

StepChanges& History::writable_changes(std::size_t index) {
    HistoryStep& step = steps_[index];
    bytes_ -= memory_of(step);
    // As in extend().
    step.content = std::make_shared<StepContent>(*step.content);
    bytes_ += memory_of(step);
    note_change(step);
    return const_cast<StepContent&>(*step.content).changes;
}

void History::forget() {
    steps_.clear();
    gestures_.clear();
    bytes_ = 0;
    redoable_ = 0;
    discarded_ = 0;
    ever_undone_ = false;
    ++generation_;
}

std::function<std::string()> History::writer() const {
    return [steps = steps(), number = next_number_, snapshot = engine_.snapshot(), identity = engine_.next_identity(),
            edit = open_edit_] {
        SavedHistory saved{.steps = steps, .next_number = number, .next_identity = identity, .open_edit = edit};
        for (const auto& node : snapshot->graph.nodes()) saved.identities.emplace(node->name(), node->identity);
        return saved.write();
    };
}

std::function<std::string()> History::take_changes() {
    HistoryChanges changes{.first_number = steps_.empty() ? next_number_ : steps_.front().number,
                           .next_number = next_number_,
                           .before = std::exchange(taken_graph_, engine_.snapshot()),
                           .next_identity = engine_.next_identity(),
                           .open_edit = open_edit_};
    changes.after = taken_graph_;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> undone;  // order, number
    for (const HistoryStep& step : steps_) {
        if (step.changed > taken_changes_) changes.steps.push_back(step);
        if (step.can_be_redone()) undone.emplace_back(step.undo_order, step.number);
    }
    std::ranges::sort(undone);
    for (const auto& [order, number] : undone) changes.redoable.push_back(number);
    taken_changes_ = latest_change_;
    return [changes = std::move(changes)] { return changes.write(); };
}

Expected<void> History::restore(const std::string& text) {
    forget();
    auto saved = SavedHistory::read(text, engine_.registry(), engine_.config());
    if (!saved) return std::unexpected(std::move(saved.error()));
    engine_.restore_identities(saved->identities, saved->next_identity);
    next_number_ = saved->next_number;
    open_edit_ = saved->open_edit;
    for (HistoryStep& step : saved->steps) {
        next_order_ = std::max(next_order_, step.undo_order + 1);
        bytes_ += memory_of(step);
        if (step.undo_order != 0) ++redoable_;
        if (step.undone && step.undo_order == 0) ++discarded_;
        steps_.push_back(std::move(step));
    }
    ever_undone_ = true;  // perhaps
    drop_oldest();
    return {};
}

}  // namespace rta::api
