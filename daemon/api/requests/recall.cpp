// SPDX-License-Identifier: MIT
#include "api/requests/recall.h"

#include <chrono>
#include <utility>

#include "api/convert.h"
#include "api/requests/transaction.h"
#include "api/scenes/recall_plan.h"

namespace rta::api::requests {
namespace {

/// Returns the content of a scene, which is read if it is not in memory.
Expected<std::shared_ptr<const SceneContent>> content_of(const Scenes::Found& scene, const Engine& engine) {
    if (scene.content != nullptr) return scene.content;
    auto content = read_scene(*scene.text, engine);
    if (!content) {
        content.error().sentence = "scene " + scene.info.name() + ": " + content.error().sentence;
        return std::unexpected(std::move(content.error()));
    }
    return std::make_shared<const SceneContent>(std::move(*content));
}

}  // namespace

Expected<std::unique_ptr<RequestState>> Recall::plan(const Engine& engine, SharedGraphSnapshot snapshot,
                                                     const AudioGraph* base) const {
    const auto begin = std::chrono::steady_clock::now();
    auto found = content_of(scene, engine);
    if (!found) return std::unexpected(std::move(found.error()));
    const auto result = recalled(base != nullptr ? *base : snapshot->graph, snapshot->next_id, **found);
    if (!result) return std::unexpected(result.error());
    const Pairs pairs = base != nullptr ? Pairs::by_identity : Pairs::by_id_or_name;
    std::vector<Edit> edits = recall_edits(snapshot->graph, *result, snapshot->next_id, fade_ms, pairs);
    TransactionContent content;
    content.whole_graph = true;  // the client has not numbered the edits
    for (const Edit& edit : edits) to_wire(edit, *content.edits.add_edits());
    if (auto fits = check_event_size(content.edits.ByteSizeLong()); !fits)
        return std::unexpected(std::move(fits.error()));
    content.transaction.edits = std::move(edits);
    content.transaction.restores = true;
    content.transaction.gain_ramp_ms = fade_ms.value_or(0.0F);
    auto state = prepare_transaction(engine, snapshot, std::move(content), spares);
    if (!state) return state;
    auto& transaction = static_cast<TransactionState&>(**state);
    transaction.label = label();
    const std::chrono::duration<float, std::milli> time = std::chrono::steady_clock::now() - begin;
    RecalledNodes nodes{*result, **found};
    transaction.recall = RecallOfScene{.name = scene.info.name(),
                                       .version = scene.version,
                                       .content = std::move(*found),
                                       .nodes = std::move(nodes),
                                       .snapshot = std::move(snapshot),
                                       .fade_ms = fade_ms,
                                       .was_read = scene.content != nullptr,
                                       .prepare_ms = time.count()};
    return state;
}

Expected<void> Recall::check(const Engine& engine, SharedGraphSnapshot snapshot,
                             google::protobuf::RepeatedPtrField<v1::Edit>* edits) const {
    auto state = plan(engine, std::move(snapshot));
    if (!state) return std::unexpected(std::move(state.error()));
    auto& transaction = static_cast<TransactionState&>(**state);
    const auto result = Engine::result(transaction.prepared);
    if (!result) return std::unexpected(without_index(result.error(), true));
    if (edits != nullptr) edits->Swap(transaction.edits.mutable_edits());
    return {};
}

bool settle_recall(TransactionState& transaction, const AudioGraph& graph, const Scenes& scenes) {
    const RecallOfScene& recall = *transaction.recall;
    if (scenes.version(recall.name) != recall.version) return false;
    auto changes = lost_values(recall.snapshot->graph, graph, recall.nodes, recall.fade_ms);
    if (!changes) return false;
    set_last(transaction, std::move(*changes));
    return true;
}

}  // namespace rta::api::requests
