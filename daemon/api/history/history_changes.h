// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/history/saved_history.h"
#include "api/history/step.h"
#include "engine/prepared_transaction.h"
#include "text/error.h"

namespace rta::api {

/// What has changed in a history, as it is saved with each change of the graph. [any]
struct HistoryChanges {
    std::vector<HistoryStep> steps{};  ///< that are new or have changed, as they are now
    std::uint64_t first_number = 1;    ///< earlier steps are no longer kept
    std::uint64_t next_number = 1;
    /// All steps that can be applied again, in the order in which they were undone.
    std::vector<std::uint64_t> redoable{};
    SharedGraphSnapshot before{};  ///< the graph of the previous record; null: an empty one, or not known
    SharedGraphSnapshot after{};   ///< the graph of this record
    std::uint64_t next_identity = 1;
    std::uint64_t open_edit = 0;  ///< as in SavedHistory

    /// Computes contents that are missing.
    [[nodiscard]] std::string write() const;
    /// Applies what write() has written. INVALID_ARGUMENT if the text is damaged; the history is then undefined.
    [[nodiscard]] static Expected<void> apply(const std::string& text, SavedHistory& history,
                                              const NodeRegistry& registry, const EngineConfig& config);
};

}  // namespace rta::api
