// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/audio_graph.h"
#include "graph/edit.h"
#include "graph/gestures.h"
#include "text/error.h"

namespace rta::wasm {

/// The latest steps of one author: transactions, and gestures. With one author, a step is undone after all later ones, so an
/// undo returns to the graph before the step. Graphs share their nodes. A gesture that continues after later steps does not
/// change the graphs of those: an undo or a redo sets its values.
class StepHistory {
 public:
    static constexpr std::size_t kMaximumBytes = std::size_t{16} << 20U;

    /// Who has made a change, and when.
    struct Origin {
        std::string client_name{};
        std::int64_t utc_us = 0;
        double now_ms = 0.0;  ///< of a clock that does not go back
    };
    using Graph = std::shared_ptr<const AudioGraph>;
    struct Step {
        std::uint64_t number = 0;
        std::uint64_t revision = 0;
        std::string client_name{};
        std::int64_t utc_us = 0;
        std::string label{};  ///< empty: its edits say what it does
        std::vector<Edit> edits{};
        std::vector<Edit> inverse{};
        Graph before{};
        Graph after{};
        bool undone = false;
        bool redoable = false;  ///< undone, and can be applied again
        /// Of a gesture: number of the latest step at its latest change. The graphs of the steps up to there, and its own
        /// one after it, may have earlier values.
        std::uint64_t through = 0;

        [[nodiscard]] std::string summary() const;
    };

    /// Records a transaction, unless it has changed nothing.
    void record(const Origin& origin, std::uint64_t revision, const AudioGraph& before, const AudioGraph& after,
                std::string label);
    /// Records changes of parameters of a graph, with their values before and after, unless they have changed nothing.
    void record(const Origin& origin, std::uint64_t revision, const AudioGraph& graph,
                std::span<const SetParameter> changes, std::span<const float> before, std::span<const float> after);

    /// Returns the graph after an undo, or a redo, of so many steps. NOT_FOUND: there are not as many.
    [[nodiscard]] Expected<Graph> target(bool redo, std::size_t steps, std::string_view author) const;
    /// The graph is that of target(). Returns the steps, in the order in which they were undone or applied again.
    std::vector<const Step*> carried_out(bool redo, std::size_t steps);

    /// The earliest first.
    [[nodiscard]] const std::deque<Step>& steps() const { return steps_; }

 private:
    [[nodiscard]] std::vector<std::size_t> chosen(bool redo, std::size_t steps) const;
    Step& add(const Origin& origin, std::uint64_t revision);
    [[nodiscard]] Step* gesture(double now_ms, std::span<const SetParameter> changes);
    [[nodiscard]] Graph with_gestures(const Graph& graph, std::uint64_t step, std::uint64_t last) const;
    void discard_redo();
    void drop_oldest();
    [[nodiscard]] static std::size_t memory_of(const Step& step);

    std::deque<Step> steps_;
    std::deque<Step> dropped_;  ///< gestures whose values the graphs of later steps do not have
    Gestures gestures_;
    std::uint64_t next_number_ = 1;
    std::size_t bytes_ = 0;
};

}  // namespace rta::wasm
