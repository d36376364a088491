// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/confirmation/confirmation.h"
#include "api/fairness.h"
#include "api/history/undo_plan.h"
#include "api/list_limits.h"
#include "api/load/node_costs.h"
#include "api/request_table.h"
#include "api/scenes/recall_plan.h"
#include "document/document.h"
#include "engine/engine.h"
#include "graph/edit.h"
#include "rta/v1/control.pb.h"
#include "text/error.h"

namespace rta::api {

/// A transaction as the engine takes it, and as the events about it report it.
struct TransactionContent {
    Transaction transaction;
    v1::EditList edits;
    bool whole_graph = false;                ///< edits.edits(0) is its replace_graph, which the client did not number
    bool any_size = false;                   ///< its event need not fit into a frame; see publish_edits()
    std::vector<std::string> warnings = {};  ///< about a document
};

// From the wire. Errors name the field at fault; none of these reads the graph. [any]

/// Takes `content` apart. The meaning of a document depends on the node types and the sample rate of the engine.
/// INVALID_ARGUMENT: no content, an edit without its kind, replace_graph among other edits, too many edits, a document
/// that cannot be read, a transaction that does not fit into an event.
[[nodiscard]] Expected<TransactionContent> take_content(v1::ApplyTransaction& content, const Engine& engine);
[[nodiscard]] Expected<TransactionContent> take_content(v1::CheckGraph& content, const Engine& engine);
[[nodiscard]] Expected<Settings> to_settings(const google::protobuf::Struct& message, std::string_view node);
[[nodiscard]] Expected<GraphDocument> to_document(const v1::Graph& message);
[[nodiscard]] Expected<Edit> to_edit(const v1::Edit& message);
/// INVALID_ARGUMENT: a relative change with a value, or toggle = false.
[[nodiscard]] Expected<SetParameter> to_change(const v1::SetParameter& message);
/// Replaces a relative change by the value to which it has set the parameter. Allocates nothing.
void set_result(v1::SetParameter& change, float value);
/// Returns an upper bound of the bytes by which set_result() lengthens a message.
inline constexpr std::size_t kResultBytes = 5;

/// Returns an error if a change of this size does not fit into the event that reports it.
[[nodiscard]] Expected<void> check_event_size(std::size_t bytes);

namespace requests {

/// What Undo and Redo add to the state of a transaction.
struct UndoTransaction {
    UndoPlan plan;
    v1::UndoResult result;     ///< without the numbers of the commit
    std::uint64_t generation;  ///< of the history for which it was planned
    std::uint32_t plans;       ///< that were made for the request
};

/// What RecallScene adds.
struct RecallOfScene {
    std::string name{};                             ///< of the scene
    std::uint64_t version = 0;                      ///< of the scene; see Scenes::version()
    std::shared_ptr<const SceneContent> content{};  ///< of the scene
    RecalledNodes nodes;                            ///< of `content`
    SharedGraphSnapshot snapshot{};                 ///< for which it was planned
    std::optional<float> fade_ms{};
    std::optional<Confirmation::Revertible> reverts{};  ///< the edit that it reverts, too
    bool was_read = false;                              ///< the content of the scene was in memory
    float prepare_ms = 0.0F;                            ///< time on the worker
};

/// State of ApplyTransaction, Undo, Redo and RecallScene.
struct TransactionState final : RequestState {
    TransactionState(TransactionContent&& content, PreparedTransaction&& made)
        : edits{std::move(content.edits)},
          prepared_edits{edits.edits_size()},
          whole_graph{content.whole_graph},
          warnings{std::move(content.warnings)},
          prepared{std::move(made)} {}

    v1::EditList edits;          ///< with the settings that were drawn
    int prepared_edits;          ///< how many of them it was prepared with; the others are those of set_last()
    std::size_t edit_bytes = 0;  ///< upper bound of their length when they are committed
    bool whole_graph;
    std::vector<int> drawn_nodes;  ///< indices in a replace_graph of nodes with settings that were drawn
    std::vector<std::string> warnings;
    bool wait_for_start = false;  ///< the response is sent when the change begins to be heard
    v1::Guard guard{};
    std::optional<float> max_load{};  ///< of the graph that it creates; see ApplyTransaction.max_load
    bool costs_measured = false;      ///< a worker has tried to measure what was missing for its prediction
    std::optional<std::uint32_t> confirm_within_s{};  ///< it is reverted unless it is confirmed
    std::optional<Error> refusal{};                   ///< by a snapshot of the graph, unless the guard refuses it
    std::optional<UndoTransaction> undo;              ///< of Undo and Redo
    std::optional<RecallOfScene> recall{};            ///< of RecallScene
    std::string label{};                              ///< for the history; empty: the edits say what it does
    PreparedTransaction prepared;
    std::uint32_t builds = 0;  ///< after the first preparation
    TimePoint first_build{};
};

/// Lets these changes follow the edits with which the transaction was prepared, instead of those of an earlier call; see
/// PreparedTransaction::set_last(). [control]
void set_last(TransactionState& transaction, std::vector<SetParameter> changes);

/// Must be called when the engine refuses a TransactionState with `error`. Returns whether a worker must only build it,
/// or apply it again, first: the request is executed again then. Other clients may change the same nodes in the
/// meantime; after kMaximumBuilds builds, or if it is large, after kLongestBuilds, the request is refused.
[[nodiscard]] bool build_missing(Call& call, const Error& error);
inline constexpr std::uint32_t kMaximumBuilds = 16;
/// The large requests of other clients wait.
inline constexpr std::chrono::seconds kLongestBuilds{2};

/// Checks a max_load.
[[nodiscard]] Expected<std::optional<float>> checked_max_load(float max_load);
/// Reads the max_load of a request, which is absent without a limit.
[[nodiscard]] Expected<std::optional<float>> read_max_load(const auto& message) {
    if (!message.has_max_load()) return std::nullopt;
    return checked_max_load(message.max_load());
}

/// Must be called when the load of the graph that a TransactionState creates cannot be predicted. Returns whether a worker
/// measures the nodes first: the request is executed again then. It does so once.
[[nodiscard]] bool measure_missing(Call& call, Unmeasured nodes);

[[nodiscard]] Expected<std::unique_ptr<RequestState>> prepare_transaction(const Engine& engine,
                                                                          SharedGraphSnapshot snapshot,
                                                                          Expected<TransactionContent> content,
                                                                          std::shared_ptr<SpareProcessors> spares = {});

/// Sets the settings that were drawn for the nodes of a replace_graph to those in the graph, after the commit: nodes that
/// stay keep theirs. [control]
void report_kept_draws(const AudioGraph& graph, TransactionState& transaction);

/// Removes the nodes that have got their earlier processors back.
void remove_kept_nodes(std::span<const std::string> kept, google::protobuf::RepeatedPtrField<std::string>& fresh);

/// Adds the warnings about the document to the TransactionResult or CheckResult.
void add_warnings(const TransactionState& transaction, auto& result) {
    for (const std::string& warning : transaction.warnings) result.add_warnings(warning);
}

/// Returns `error` without the index of an edit that the client did not number.
[[nodiscard]] Error without_index(Error error, bool whole_graph);

}  // namespace requests
}  // namespace rta::api
