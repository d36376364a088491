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
#include "text/error.h"

namespace rta::wasm {

/// The latest steps of one author: transactions, and changes of the same parameters in quick succession. With one author,
/// a step is undone after all later ones, so an undo returns to the graph before the step. Graphs share their nodes.
class StepHistory {
 public:
    static constexpr std::size_t kMaximumBytes = std::size_t{16} << 20U;
    /// Changes of the same parameters are one step if the next follows within this time.
    static constexpr double kOneGestureMs = 2'000.0;

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
        bool redoable = false;   ///< undone, and can be applied again
        bool gesture = false;    ///< changes of parameters, which may continue
        double latest_ms = 0.0;  ///< time of its latest change

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
    [[nodiscard]] std::size_t gesture(double now_ms, std::span<const SetParameter> changes) const;
    void extend(std::size_t index, const AudioGraph& graph, std::span<const SetParameter> changes,
                std::span<const float> after);
    void discard_redo();
    void drop_oldest();
    [[nodiscard]] static std::size_t memory_of(const Step& step);

    std::deque<Step> steps_;
    std::uint64_t next_number_ = 1;
    std::size_t bytes_ = 0;
};

}  // namespace rta::wasm
