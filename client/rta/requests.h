// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rta/error.h"
#include "rta/recall_options.h"
#include "rta/subscription.h"
#include "rta/undo_options.h"
#include "rta/v1/control.pb.h"

// The requests of the typed calls, and their results.
namespace rta::client {

[[nodiscard]] v1::Request status_request();
/// As a message, without the document text.
[[nodiscard]] v1::Request graph_request();
[[nodiscard]] v1::Request node_types_request();
[[nodiscard]] v1::Request subscribe_request(const SubscribeOptions& options);
[[nodiscard]] v1::Request apply_request(std::vector<v1::Edit> edits, bool wait_for_start, v1::Guard guard);
[[nodiscard]] v1::Request load_request(std::string document, bool wait_for_start, v1::Guard guard);
[[nodiscard]] v1::Request set_parameters_request(std::vector<v1::SetParameter> changes, v1::Guard guard);
[[nodiscard]] v1::Request mute_request(bool muted);
[[nodiscard]] v1::Request set_volume_request(float volume_db);
[[nodiscard]] v1::Request panic_request();
[[nodiscard]] v1::Request undo_request(const UndoOptions& options);
[[nodiscard]] v1::Request redo_request(const UndoOptions& options);
[[nodiscard]] v1::Request history_request(std::uint32_t steps);
[[nodiscard]] v1::Request time_request();
[[nodiscard]] v1::Request pending_request();
[[nodiscard]] v1::Request create_code_request(std::string role);
[[nodiscard]] v1::Request cancel_request(std::uint64_t id);
[[nodiscard]] v1::Request save_scene_request(std::string name, std::vector<std::string> nodes);
[[nodiscard]] v1::Request recall_scene_request(std::string name, RecallOptions options);
[[nodiscard]] v1::Request scenes_request();
[[nodiscard]] v1::Request rename_scene_request(std::string name, std::string new_name);
[[nodiscard]] v1::Request remove_scene_request(std::string name);
[[nodiscard]] v1::Request scene_request(std::string name);
[[nodiscard]] v1::Request confirm_request(std::optional<std::uint64_t> id);
[[nodiscard]] v1::Request revert_request(std::optional<std::uint64_t> id, bool wait_for_start);
/// The request of a transaction that is reverted unless it is confirmed.
[[nodiscard]] v1::Request to_confirm(v1::Request request, std::uint32_t within_s);
/// The request of an edit, to be made at a time.
[[nodiscard]] v1::Request scheduled(v1::Request request, v1::When at);

/// Returns the error of a response other than OK.
[[nodiscard]] Error rejection(const v1::Status& status);
/// Returns the error if the response is OK and has no result of the request.
[[nodiscard]] Error missing_result();

template <class Result>
struct ResultField;  ///< the accessors of the field of Response with this type
#define RTA_RESULT_FIELD(Result, field)                                         \
    template <>                                                                 \
    struct ResultField<v1::Result> {                                            \
        static bool in(const v1::Response& r) { return r.has_##field(); }       \
        static v1::Result& of(v1::Response& r) { return *r.mutable_##field(); } \
    }
RTA_RESULT_FIELD(StatusResult, get_status);
RTA_RESULT_FIELD(GraphResult, get_graph);
RTA_RESULT_FIELD(NodeTypesResult, list_node_types);
RTA_RESULT_FIELD(SubscribeResult, subscribe);
RTA_RESULT_FIELD(TransactionResult, apply_transaction);
RTA_RESULT_FIELD(ParametersResult, set_parameters);
RTA_RESULT_FIELD(MuteOutputResult, mute_output);
RTA_RESULT_FIELD(SetVolumeResult, set_volume);
RTA_RESULT_FIELD(PanicResult, panic);
RTA_RESULT_FIELD(HistoryResult, get_history);
RTA_RESULT_FIELD(TimeResult, get_time);
RTA_RESULT_FIELD(PendingResult, list_pending);
RTA_RESULT_FIELD(CancelPendingResult, cancel_pending);
RTA_RESULT_FIELD(SaveSceneResult, save_scene);
RTA_RESULT_FIELD(RecallSceneResult, recall_scene);
RTA_RESULT_FIELD(ScenesResult, list_scenes);
RTA_RESULT_FIELD(RenameSceneResult, rename_scene);
RTA_RESULT_FIELD(RemoveSceneResult, remove_scene);
RTA_RESULT_FIELD(SceneResult, get_scene);
RTA_RESULT_FIELD(ConfirmResult, confirm);
RTA_RESULT_FIELD(CreateCodeResult, create_code);
#undef RTA_RESULT_FIELD
template <>
struct ResultField<v1::UndoResult> {
    static bool in(const v1::Response& r) { return r.has_undo() || r.has_redo() || r.has_revert(); }
    static v1::UndoResult& of(v1::Response& r) {
        if (r.has_revert()) return *r.mutable_revert();
        return r.has_undo() ? *r.mutable_undo() : *r.mutable_redo();
    }
};

/// Returns the result of a response. A change that is committed but not confirmed in time has a result, too.
template <class Result>
[[nodiscard]] Expected<Result> result_of(Expected<v1::Response> response) {
    if (!response) return std::unexpected(std::move(response.error()));
    if (ResultField<Result>::in(*response)) return std::move(ResultField<Result>::of(*response));
    if (response->status().code() != v1::OK) return std::unexpected(rejection(response->status()));
    return std::unexpected(missing_result());
}

}  // namespace rta::client
