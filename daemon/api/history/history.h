// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/call.h"
#include "api/fairness.h"
#include "api/history/step.h"
#include "api/history/undo_plan.h"
#include "api/workers.h"
#include "engine/engine.h"
#include "graph/edit_checks.h"
#include "graph/gestures.h"

namespace rta::api {

/// The latest steps of all clients. What takes long is computed on workers. Functions that record do not throw: without
/// memory, the history is forgotten, because a step that is missing would make the others wrong. [control]
class History {
 public:
    static constexpr std::size_t kMaximumSteps = rta::kMaximumSteps;
    /// Of all steps; the latest one is kept even if it takes more.
    static constexpr std::size_t kMaximumBytes = std::size_t{32} << 20U;
    /// Graphs with a larger difference_size() are compared on a worker.
    static constexpr std::size_t kComparedHere = 2'000;

    struct Who {
        std::string_view author;
        std::string_view client_name;
    };
    using UtcClock = std::function<std::int64_t()>;  ///< microseconds since 1970-01-01

    /// `changed` is called when the history has changed without a commit. All must outlive the history.
    History(Engine& engine, Workers& workers, std::function<void()> changed, UtcClock utc = &utc_now);
    History(const History&) = delete;
    History& operator=(const History&) = delete;
    ~History() = default;

    /// Compares the engine's graph with the one before a commit. Does not throw: the content is missing if that takes too
    /// long, or if memory is short.
    [[nodiscard]] ComparedStep compare(const AudioGraph& before) const;
    /// Records a transaction. Without content, a worker compares the graphs. `label` says what it did; empty: its edits do.
    void record(const Who& who, std::uint64_t revision, AudioGraph before, std::optional<StepContent> content,
                const std::string& label = {});
    /// Records changes of parameters, with the values before and after.
    void record(const Who& who, std::uint64_t revision, TimePoint now, std::span<const SetParameter> changes,
                std::span<const float> before, std::span<const float> after);
    /// The transaction of a plan has been committed for this author.
    void carried_out(const UndoPlan& plan, std::string_view author);

    /// Returns the state to which revert() returns.
    [[nodiscard]] HistoryMark mark() const;
    /// The graph is again that at the mark, except for parameters: the transactions since then are undone by `author`, and
    /// the earlier steps are undone as they were. Returns the steps that this changes, the latest first.
    std::vector<HistoryStep> revert(const HistoryMark& mark, std::string_view author);

    /// Returns whether a worker computes the contents of a step.
    [[nodiscard]] bool computing() const { return computing_ != 0; }
    /// Continues with the request when computing() may return false.
    void when_computed(CallHandle handle) { waiting_.push_back(std::move(handle)); }

    /// Returns all steps, the earliest first.
    [[nodiscard]] std::vector<HistoryStep> steps() const { return {steps_.begin(), steps_.end()}; }
    /// Returns a number that rises with each change of the history.
    [[nodiscard]] std::uint64_t generation() const { return generation_; }
    /// Returns the changes that must follow the edits of a plan that was made at this generation, so that it is still right:
    /// parameters that others have set since keep their values. Nothing if more has changed in the same places since: it must
    /// be planned again. Takes time by the number of steps.
    [[nodiscard]] std::optional<std::vector<SetParameter>> values_since(const UndoPlan& plan,
                                                                        std::uint64_t generation) const;

    /// Sets the key of the edit that waits for its confirmation; 0: none. It is saved and recorded with the history, which
    /// thus tells whether a graph that is restored has that edit.
    void set_open_edit(std::uint64_t key) { open_edit_ = key; }
    [[nodiscard]] std::uint64_t open_edit() const { return open_edit_; }

    /// Returns a function that writes the history, on any thread. Must be destroyed on the control thread.
    [[nodiscard]] std::function<std::string()> writer() const;
    /// Returns a function that writes what has changed since the previous call, on any thread: see HistoryChanges. Must be
    /// destroyed on the control thread.
    [[nodiscard]] std::function<std::string()> take_changes();
    /// Takes what writer() has written, when the graph at that time has been loaded and nothing has been edited; the nodes get
    /// their identities. INVALID_ARGUMENT if it is damaged; the history is then empty.
    [[nodiscard]] Expected<void> restore(const std::string& text);

    [[nodiscard]] static std::int64_t utc_now();

 private:
    void discard_redo(std::string_view author);
    void set_undone(HistoryStep& step, bool undone, std::string_view by, bool can_be_redone);
    void note_change(HistoryStep& step) { step.changed = ++latest_change_; }
    HistoryStep& add(const Who& who, std::uint64_t revision);
    void compute(std::uint64_t number);
    void computed(std::uint64_t number, std::optional<StepContent> content);
    [[nodiscard]] HistoryStep* find(std::uint64_t number);
    [[nodiscard]] HistoryStep* gesture(std::string_view author, TimePoint now, std::span<const SetParameter> changes);
    void extend(HistoryStep& step, std::span<const SetParameter> changes, std::span<const float> after);
    void set_content(HistoryStep& step, std::shared_ptr<const StepContent> content);
    [[nodiscard]] static std::size_t memory_of(const HistoryStep& step);
    void drop_oldest();
    void drop(std::size_t index);
    void pass_on(std::size_t index);
    void pass_on_node(std::size_t index, const NodeChange& change);
    void pass_on_graph(std::size_t index, const GraphChange& change);
    void pass_on_connection(std::size_t index, const ConnectionChange& change);
    [[nodiscard]] StepChanges& writable_changes(std::size_t index);
    void forget();
    void resume_waiting();

    Engine& engine_;
    Workers& workers_;
    std::function<void()> changed_;
    UtcClock utc_;
    std::deque<HistoryStep> steps_;  ///< the earliest first
    std::uint64_t next_number_ = 1;
    std::uint64_t next_order_ = 1;
    std::uint64_t open_edit_ = 0;
    std::uint64_t generation_ = 0;
    std::uint64_t latest_change_ = 0;    ///< of a step
    std::uint64_t taken_changes_ = 0;    ///< by take_changes()
    SharedGraphSnapshot taken_graph_{};  ///< the graph at that time; null: none
    std::size_t bytes_ = 0;              ///< of all steps
    std::size_t redoable_ = 0;           ///< steps with an undo_order
    std::size_t computing_ = 0;          ///< on workers
    std::size_t discarded_ = 0;          ///< steps that are undone and cannot be applied again
    bool ever_undone_ =
        false;  ///< some step: what the steps were recorded with may differ from what they are applied to
    std::vector<CallHandle> waiting_;
    Gestures gestures_;                                     ///< of all authors
    std::shared_ptr<int> alive_ = std::make_shared<int>();  ///< results of workers that come later are dropped
};

}  // namespace rta::api
