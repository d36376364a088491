// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "engine/config.h"
#include "graph/node_type.h"
#include "text/error.h"

namespace rta::api {

/// A change as ChangeLog has recorded it.
struct RecordedChange {
    const std::string& content;
    const std::optional<std::string>& history;  ///< nullopt: it could not be recorded
};

/// A graph and its history after recorded changes.
struct ReplayedChanges {
    std::string graph{};                   ///< its document
    std::optional<std::string> history{};  ///< as History::restore() takes it; nullopt: it is not known
    std::size_t count = 0;                 ///< changes that were applied
    std::string why{};                     ///< the next one was not; empty if all were
};

/// Applies changes to the graph of a document, or to an empty one, and to its history: "" if it is empty, nullopt if it is
/// not known. Errors: those of the document. [any]
[[nodiscard]] Expected<ReplayedChanges> replay(const NodeRegistry& registry, const EngineConfig& config,
                                               const std::optional<std::string>& graph,
                                               const std::optional<std::string>& history,
                                               std::span<const RecordedChange> changes);

}  // namespace rta::api
