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

Expected<std::vector<Edit>> edits_of(const Recall& recall, const Engine& engine, const GraphSnapshot& snapshot) {
    const auto content = content_of(recall.scene, engine);
    if (!content) return std::unexpected(content.error());
    const auto result = recalled(snapshot.graph, snapshot.next_id, **content);
    if (!result) return std::unexpected(result.error());
    return recall_edits(snapshot.graph, *result, recall.fade_ms);
}

}  // namespace

Expected<std::unique_ptr<RequestState>> Recall::plan(const Engine& engine, SharedGraphSnapshot snapshot,
                                                     std::uint64_t latest_edit) const {
    const auto begin = std::chrono::steady_clock::now();
    auto edits = edits_of(*this, engine, *snapshot);
    if (!edits) return std::unexpected(std::move(edits.error()));
    TransactionContent content;
    content.whole_graph = true;  // the client has not numbered the edits
    for (const Edit& edit : *edits) to_wire(edit, *content.edits.add_edits());
    if (auto fits = check_event_size(content.edits.ByteSizeLong()); !fits)
        return std::unexpected(std::move(fits.error()));
    content.transaction.edits = std::move(*edits);
    content.transaction.restores = true;
    content.transaction.gain_ramp_ms = fade_ms.value_or(0.0F);
    const std::uint64_t revision = snapshot->revision;
    auto state = prepare_transaction(engine, std::move(snapshot), std::move(content), spares);
    if (!state) return state;
    auto& transaction = static_cast<TransactionState&>(**state);
    transaction.label = label();
    const std::chrono::duration<float, std::milli> time = std::chrono::steady_clock::now() - begin;
    transaction.recall = RecallOfScene{.name = scene.info.name(),
                                       .revision = revision,
                                       .latest_edit = latest_edit,
                                       .was_read = scene.content != nullptr,
                                       .prepare_ms = time.count()};
    return state;
}

Expected<void> Recall::check(const Engine& engine, SharedGraphSnapshot snapshot,
                             google::protobuf::RepeatedPtrField<v1::Edit>* edits) const {
    auto state = plan(engine, std::move(snapshot), 0);
    if (!state) return std::unexpected(std::move(state.error()));
    auto& transaction = static_cast<TransactionState&>(**state);
    const auto result = Engine::result(transaction.prepared);
    Engine::give_back(std::move(transaction.prepared));
    if (!result) return std::unexpected(without_index(result.error(), true));
    if (edits != nullptr) edits->Swap(transaction.edits.mutable_edits());
    return {};
}

}  // namespace rta::api::requests
