// SPDX-License-Identifier: MIT
#include "api/replay.h"

#include <utility>

#include "api/history/history_changes.h"
#include "api/history/saved_history.h"
#include "api/requests/transaction.h"
#include "document/document.h"
#include "engine/graph_replay.h"
#include "graph/document_values.h"
#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

Expected<void> apply(const std::string& content, GraphReplay& graph) {
    v1::EditList edits;
    if (!edits.ParseFromString(content)) return fail(ErrorCode::invalid_argument, "it is damaged");
    for (const v1::Edit& message : edits.edits()) {
        auto edit = to_edit(message);
        if (!edit) return std::unexpected(std::move(edit.error()));
        if (auto applied = graph.apply(std::move(*edit)); !applied) return applied;
    }
    return {};
}

Expected<void> load(const std::optional<std::string>& document, const NodeRegistry& registry, double sample_rate_hz,
                    GraphReplay& graph) {
    if (!document) return {};
    auto loaded = load_document(*document, registry, sample_rate_hz);
    if (!loaded) return std::unexpected(std::move(loaded.error()));
    return graph.apply(ReplaceGraph{std::move(loaded->document)});
}

/// Returns the history after changes; nullopt if it is not known.
std::optional<std::string> replay_history(const NodeRegistry& registry, const EngineConfig& config,
                                          const std::optional<std::string>& history,
                                          std::span<const RecordedChange> changes) {
    if (!history) return std::nullopt;
    SavedHistory saved;
    if (!history->empty()) {
        auto read = SavedHistory::read(*history, registry, config);
        if (!read) return std::nullopt;
        saved = std::move(*read);
    }
    for (const RecordedChange& change : changes) {
        if (!change.history || !HistoryChanges::apply(*change.history, saved, registry, config)) return std::nullopt;
    }
    return saved.write();
}

}  // namespace

Expected<ReplayedChanges> replay(const NodeRegistry& registry, const EngineConfig& config,
                                 const std::optional<std::string>& graph, const std::optional<std::string>& history,
                                 std::span<const RecordedChange> changes) {
    GraphReplay edited{registry, config};
    if (auto loaded = load(graph, registry, config.sample_rate_hz, edited); !loaded)
        return std::unexpected(std::move(loaded.error()));
    ReplayedChanges result;
    for (const RecordedChange& change : changes) {
        const auto applied = apply(change.content, edited);
        if (!applied) {
            // A part of the change may have been applied.
            auto before = replay(registry, config, graph, history, changes.first(result.count));
            if (before) before->why = applied.error().sentence;
            return before;
        }
        ++result.count;
    }
    result.graph = write_document(edited.graph().document());
    result.history = replay_history(registry, config, history, changes);
    return result;
}

}  // namespace rta::api
