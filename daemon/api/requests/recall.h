// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "api/request_table.h"
#include "api/scenes/scenes.h"
#include "engine/engine.h"
#include "rta/v1/control.pb.h"
#include "text/error.h"

namespace rta::api::requests {

/// A recall, as the client has asked for it. What it changes depends on the graph.
struct Recall {
    Scenes::Found scene;
    std::optional<float> fade_ms{};
    std::shared_ptr<SpareProcessors> spares{};  ///< null: none is used

    [[nodiscard]] std::string label() const { return "recall " + scene.info.name(); }
    /// Returns the transaction that makes the snapshot that of the scene, a TransactionState. Builds processors that are
    /// not spare. Errors as those of a transaction, without an index. [any]
    [[nodiscard]] Expected<std::unique_ptr<RequestState>> plan(const Engine& engine, SharedGraphSnapshot snapshot,
                                                               std::uint64_t latest_edit) const;
    /// Checks the same, and writes the edits unless `edits` is null. [any]
    [[nodiscard]] Expected<void> check(const Engine& engine, SharedGraphSnapshot snapshot,
                                       google::protobuf::RepeatedPtrField<v1::Edit>* edits) const;
};

}  // namespace rta::api::requests
