// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/history/step.h"
#include "engine/config.h"
#include "graph/node_type.h"
#include "text/error.h"

namespace rta::api {

/// A history as it is saved. [any]
struct SavedHistory {
    std::vector<HistoryStep> steps{};
    std::uint64_t next_number = 1;
    std::map<std::string, NodeIdentity>
        identities{};  ///< of the nodes of the graph to which it has led, by their names
    std::uint64_t next_identity = 1;
    std::uint64_t open_edit = 0;  ///< key of the edit in the graph that waits for its confirmation; 0: none

    /// Computes contents that are missing.
    [[nodiscard]] std::string write() const;
    /// INVALID_ARGUMENT if the text is damaged, or has node types that are not in the registry.
    [[nodiscard]] static Expected<SavedHistory> read(const std::string& text, const NodeRegistry& registry,
                                                     const EngineConfig& config);
};

}  // namespace rta::api
