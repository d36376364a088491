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

struct TransactionState;

/// A recall, as the client has asked for it. What it changes depends on the graph.
struct Recall {
    Scenes::Found scene;
    std::optional<float> fade_ms{};
    std::shared_ptr<SpareProcessors> spares{};  ///< null: none is used

    [[nodiscard]] std::string label() const { return "recall " + scene.info.name(); }
    /// Returns the transaction that makes the snapshot that of the scene, a TransactionState. Builds processors that are
    /// not spare. With `base`, which is the graph after the revert of an edit, the transaction contains that revert. Errors as
    /// those of a transaction, without an index. [any]
    [[nodiscard]] Expected<std::unique_ptr<RequestState>> plan(const Engine& engine, SharedGraphSnapshot snapshot,
                                                               const AudioGraph* base = nullptr) const;
    /// Checks the same, and writes the edits unless `edits` is null. [any]
    [[nodiscard]] Expected<void> check(const Engine& engine, SharedGraphSnapshot snapshot,
                                       google::protobuf::RepeatedPtrField<v1::Edit>* edits) const;
};

/// Returns whether a planned recall leads from this graph to the scene, too; otherwise it must be planned again. What others have
/// set in the meantime is set to the values of the scene: only a change of the structure, or of the scene, makes a plan wrong.
/// Call it in the step that commits. [control]
[[nodiscard]] bool settle_recall(TransactionState& transaction, const AudioGraph& graph, const Scenes& scenes);

}  // namespace rta::api::requests
