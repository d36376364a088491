// SPDX-License-Identifier: MIT
#include "api/history/history.h"

#include <algorithm>
#include <functional>
#include <ranges>
#include <set>
#include <utility>
#include <variant>

#include "api/exception_barrier.h"
#include "graph/difference.h"

namespace rta::api {
namespace {

/// Those of other authors may have begun in the meantime.
constexpr std::size_t kMostGestures = 16;
/// Upper bound of the memory that one element of difference_size() takes until the difference is computed.
constexpr std::size_t kBytesOfDifference = 64;

const SetParameter* parameter_of(const Edit& edit) { return std::get_if<SetParameter>(&edit); }

bool sets_the_same(const std::vector<Edit>& edits, std::span<const SetParameter> changes) {
    return std::ranges::equal(edits, changes, [](const Edit& edit, const SetParameter& change) {
        const SetParameter* const set = parameter_of(edit);
        return set != nullptr && set->parameter == change.parameter && set->node == change.node;
    });
}

/// Returns whether the edits may set a parameter of these, or change anything else.
bool interferes(const std::vector<Edit>& edits, std::span<const SetParameter> changes) {
    constexpr std::size_t kMostCompared = 4'096;
    return edits.size() * changes.size() > kMostCompared || std::ranges::any_of(edits, [&](const Edit& edit) {
               const SetParameter* const set = parameter_of(edit);
               return set == nullptr || std::ranges::any_of(changes, [&](const SetParameter& change) {
                          return set->parameter == change.parameter && set->node == change.node;
                      });
           });
}

/// After a crash, the numbers of the latest transactions may be missing in a mark.
bool changes_structure(const HistoryStep& step) {
    return step.content != nullptr &&
           std::ranges::any_of(step.content->edits, [](const Edit& edit) { return parameter_of(edit) == nullptr; });
}

std::vector<Edit> to_edits(std::span<const SetParameter> changes, std::span<const float> values) {
    std::vector<Edit> edits;
    edits.reserve(changes.size());
    for (std::size_t i = 0; i < changes.size(); ++i)
        edits.emplace_back(SetParameter{changes[i].node, changes[i].parameter, values[i], {}});
    return edits;
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
        compared.published = compared.recorded;
    });
    return done ? std::move(compared) : ComparedStep{};
}

std::uint64_t History::record(const Who& who, std::uint64_t revision, AudioGraph before,
                              std::optional<StepContent> content) {
    if (content && content->edits.empty()) return 0;
    std::uint64_t number = 0;
    const auto recorded = guarded("recording a transaction", [&] {
        discard_redo(who.author);
        HistoryStep& step = add(who, revision);
        number = step.number;
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
    return number;
}

void History::record(const Who& who, std::uint64_t revision, TimePoint now, std::span<const SetParameter> changes,
                     std::span<const float> before, std::span<const float> after) {
    if (std::ranges::equal(before, after)) return;
    const auto recorded = guarded("recording changes of parameters", [&] {
        discard_redo(who.author);
        if (HistoryStep* const known = gesture(who.author, now, changes)) return extend(*known, after);
        HistoryStep& step = add(who, revision);
        set_content(step,
                    std::make_shared<StepContent>(StepContent{to_edits(changes, after), to_edits(changes, before)}));
        gestures_.push_back({step.number, now});
        if (gestures_.size() > kMostGestures) gestures_.pop_front();
        drop_oldest();
    });
    if (!recorded) forget();
}

/// Returns the step that the changes continue. No later step may have changed the same parameters, or the structure.
HistoryStep* History::gesture(std::string_view author, TimePoint now, std::span<const SetParameter> changes) {
    std::erase_if(gestures_, [&](const Gesture& known) { return now - known.latest > kOneGesture; });
    for (Gesture& known : gestures_) {
        HistoryStep* const step = find(known.number);
        if (step == nullptr || step->undone || step->content == nullptr || step->author != author ||
            !sets_the_same(step->content->edits, changes))
            continue;
        const auto later = std::ranges::lower_bound(steps_, known.number + 1, {}, &HistoryStep::number);
        const bool free = std::none_of(later, steps_.end(), [&](const HistoryStep& other) {
            return other.content == nullptr || interferes(other.content->edits, changes);
        });
        if (!free) continue;
        known.latest = now;
        return step;
    }
    return nullptr;
}

void History::extend(HistoryStep& step, std::span<const float> after) {
    ++generation_;
    // Others may read a copy, which the control thread destroys.
    if (step.content.use_count() > 1) step.content = std::make_shared<StepContent>(*step.content);
    // Every StepContent is created as a non-const object; only the pointer is const.
    auto& edits = const_cast<StepContent&>(*step.content).edits;
    for (std::size_t i = 0; i < after.size(); ++i) std::get<SetParameter>(edits[i]).value = after[i];
    step.utc_us = utc_();
}

void History::carried_out(const UndoPlan& plan, std::string_view author) {
    const auto recorded = guarded("recording an undo", [&] {
        for (const std::uint64_t number : plan.undone) {
            HistoryStep* const step = find(number);
            if (step == nullptr) continue;
            step->undone = true;
            step->undone_by = author;
            step->undo_order = next_order_++;
            ++redoable_;
        }
        for (const std::uint64_t number : plan.redone) {
            HistoryStep* const step = find(number);
            if (step == nullptr) continue;
            step->undone = false;
            step->undone_by.clear();
            step->undo_order = 0;
            --redoable_;
        }
        gestures_.clear();
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
    const auto set_undone = [&](HistoryStep& step, bool undone, std::string_view by, bool can_be_redone) {
        if (step.undone != undone) changed.insert(step.number);
        if (step.undo_order != 0) --redoable_;
        step.undone = undone;
        step.undone_by = by;
        step.undo_order = can_be_redone ? next_order_++ : 0;
        if (can_be_redone) ++redoable_;
    };
    const auto recorded = guarded("recording a revert", [&] {
        for (HistoryStep& step : steps_) {
            const bool was_undone =
                std::ranges::find(mark.undone, step.number, &HistoryMark::Undone::number) != mark.undone.end();
            if (step.number < mark.next_number && step.undone && !was_undone) set_undone(step, false, {}, false);
        }
        for (const HistoryMark::Undone& undone : mark.undone) {
            if (HistoryStep* const step = find(undone.number)) set_undone(*step, true, undone.by, undone.can_be_redone);
        }
        // The latest first, so that the earliest is the first to be applied again.
        for (HistoryStep& step : steps_ | std::views::reverse) {
            if (step.number < mark.next_number) break;
            const bool transaction = std::ranges::binary_search(mark.since, step.number) || changes_structure(step);
            if (transaction && !step.undone) set_undone(step, true, author, true);
        }
        gestures_.clear();
        ++generation_;
        for (const std::uint64_t number : changed) result.push_back(*find(number));
    });
    if (!recorded) forget();
    return result;
}

/// A new edit of an author: what it has undone can no longer be applied again.
void History::discard_redo(std::string_view author) {
    if (redoable_ == 0) return;
    for (HistoryStep& step : steps_) {
        if (step.undo_order == 0 || step.undone_by != author) continue;
        step.undo_order = 0;
        --redoable_;
        ++generation_;
    }
}

HistoryStep& History::add(const Who& who, std::uint64_t revision) {
    ++generation_;
    return steps_.emplace_back(HistoryStep{.number = next_number_++,
                                           .revision = revision,
                                           .author = std::string{who.author},
                                           .client_name = std::string{who.client_name},
                                           .utc_us = utc_()});
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
        if (content->edits.empty()) {
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
    bytes_ += memory_of(step);
}

std::size_t History::memory_of(const HistoryStep& step) {
    std::size_t bytes = sizeof step + step.author.size() + step.client_name.size();
    if (step.content != nullptr) bytes += step.content->memory_bytes();
    if (step.graphs != nullptr)
        bytes += kBytesOfDifference * difference_size(step.graphs->before, step.graphs->after->graph);
    return bytes;
}

void History::drop_oldest() {
    while (steps_.size() > kMaximumSteps || (bytes_ > kMaximumBytes && steps_.size() > 1)) {
        bytes_ -= memory_of(steps_.front());
        if (steps_.front().undo_order != 0) --redoable_;
        steps_.pop_front();
    }
}

void History::forget() {
    steps_.clear();
    gestures_.clear();
    bytes_ = 0;
    redoable_ = 0;
    ++generation_;
}

std::function<std::string()> History::writer() const {
    return [saved = SavedHistory{steps(), next_number_}] { return saved.write(); };
}

Expected<void> History::restore(const std::string& text) {
    forget();
    auto saved = SavedHistory::read(text);
    if (!saved) return std::unexpected(std::move(saved.error()));
    next_number_ = saved->next_number;
    for (HistoryStep& step : saved->steps) {
        next_order_ = std::max(next_order_, step.undo_order + 1);
        bytes_ += memory_of(step);
        if (step.undo_order != 0) ++redoable_;
        steps_.push_back(std::move(step));
    }
    drop_oldest();
    return {};
}

}  // namespace rta::api
