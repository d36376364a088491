// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/history/step_changes.h"
#include "engine/prepared_transaction.h"
#include "graph/audio_graph.h"
#include "graph/edit.h"
#include "rta/v1/control.pb.h"

namespace rta::api {

/// What a step has changed, by identity; and for clients, as edits with the names at that time: those of the step, and those
/// that undo it. Neither contains ReplaceGraph or a relative change.
struct StepContent {
    std::vector<Edit> edits{};
    std::vector<Edit> inverse{};
    StepChanges changes{};

    /// Compares the graphs before and after a transaction. Takes time by difference_size(). [any]
    [[nodiscard]] static StepContent between(const AudioGraph& before, const AudioGraph& after);
    [[nodiscard]] std::size_t memory_bytes() const;
};

/// The content of a new step, for the history and for its event.
struct ComparedStep {
    std::optional<StepContent> recorded{};
    std::optional<StepContent> published{};
};

/// The graphs before and after a transaction whose differences take too long for the control thread, which must destroy
/// them.
struct StepGraphs {
    AudioGraph before;
    SharedGraphSnapshot after;
};

/// A transaction, or the changes that one author has made to the same parameters in quick succession.
struct HistoryStep {
    std::uint64_t number = 0;    ///< counts all steps
    std::uint64_t revision = 0;  ///< 0: of an earlier run of the daemon
    std::string author{};
    std::string client_name{};
    std::int64_t utc_us = 0;                       ///< of its latest change
    std::string label{};                           ///< what it did, such as "recall night"; empty: what its edits say
    std::shared_ptr<const StepContent> content{};  ///< null: not computed yet
    std::shared_ptr<const StepGraphs> graphs{};    ///< until the content has been computed
    std::string undone_by{};                       ///< author of the undo
    std::uint64_t undo_order = 0;                  ///< of those that can be applied again: increases with each undo
    std::uint64_t changed_at = 0;                  ///< the generation of the history at its latest change
    bool undone = false;
    bool transaction = false;   ///< otherwise, changes of parameters
    std::uint64_t changed = 0;  ///< number of its latest change; see History::take_changes()

    [[nodiscard]] bool can_be_redone() const { return undone && undo_order != 0 && content != nullptr; }
};

/// The state of a history before an edit that may be reverted.
struct HistoryMark {
    struct Undone {
        std::uint64_t number;
        std::string by;
        bool can_be_redone;
    };

    std::uint64_t next_number = 1;  ///< of the first step after it
    std::vector<Undone> undone{};   ///< steps before it, in the order in which they were undone
};

/// "step 7 of desk (set osc.gain_db = -6)". [any]
[[nodiscard]] std::string name_of(const HistoryStep& step);
/// Writes everything except the edits. [any]
void to_wire(const HistoryStep& step, v1::HistoryStep& message);
void add_edits(const StepContent& content, v1::HistoryStep& message);

}  // namespace rta::api
