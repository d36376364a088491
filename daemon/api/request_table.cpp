// SPDX-License-Identifier: MIT
#include "api/request_table.h"

#include <algorithm>
#include <array>

namespace rta::api {
namespace requests {

using Prepared = Expected<std::unique_ptr<RequestState>>;

void apply_transaction(Call& call);
void cancel_pending(Call& call);
void check_graph(Call& call);
void confirm(Call& call);
void create_code(Call& call);
void create_token(Call& call);
void get_frequency_response(Call& call);
void get_graph(Call& call);
void get_history(Call& call);
void get_scene(Call& call);
void get_status(Call& call);
void get_time(Call& call);
void hello(Call& call);
void list_devices(Call& call);
void list_node_types(Call& call);
void list_pending(Call& call);
void list_scenes(Call& call);
void list_tokens(Call& call);
void mute_output(Call& call);
void panic(Call& call);
void recall_scene(Call& call);
void redo(Call& call);
void remove_scene(Call& call);
void rename_scene(Call& call);
void reset_meters(Call& call);
void revert(Call& call);
void revoke_token(Call& call);
void save_scene(Call& call);
void set_device(Call& call);
void set_parameters(Call& call);
void set_volume(Call& call);
void subscribe(Call& call);
void undo(Call& call);

Prepared prepare_apply_transaction(const Engine& engine, SharedGraphSnapshot snapshot, v1::Request& message);
Prepared prepare_check_graph(const Engine& engine, SharedGraphSnapshot snapshot, v1::Request& message);

std::string smaller_graph(const v1::Request& message);
std::string smaller_history(const v1::Request& message);
std::string smaller_scene(const v1::Request& message);

}  // namespace requests

namespace {

using enum Role;
using enum Ordering;
using v1::Request;

constexpr bool kChanges = true;
constexpr bool kReads = false;
constexpr bool kDurable = true;
constexpr bool kTransient = false;

// clang-format off
constexpr std::array kTable{
    RequestKind{Request::kHello, "hello", none, kReads, kTransient, after_answers,
                nullptr, requests::hello, nullptr},
    RequestKind{Request::kGetStatus, "get_status", read, kReads, kTransient, after_answers,
                nullptr, requests::get_status, nullptr},
    RequestKind{Request::kListDevices, "list_devices", read, kReads, kTransient, pipelined,
                nullptr, requests::list_devices, nullptr},
    RequestKind{Request::kListNodeTypes, "list_node_types", read, kReads, kTransient, after_answers,
                nullptr, requests::list_node_types, nullptr},
    RequestKind{Request::kGetGraph, "get_graph", read, kReads, kTransient, after_answers,
                nullptr, requests::get_graph, requests::smaller_graph},
    RequestKind{Request::kApplyTransaction, "apply_transaction", control, kChanges, kDurable, pipelined,
                requests::prepare_apply_transaction, requests::apply_transaction, nullptr},
    RequestKind{Request::kSetParameters, "set_parameters", control, kChanges, kDurable, pipelined,
                nullptr, requests::set_parameters, nullptr},
    RequestKind{Request::kCheckGraph, "check_graph", read, kReads, kTransient, after_answers,
                requests::prepare_check_graph, requests::check_graph, nullptr},
    RequestKind{Request::kSubscribe, "subscribe", read, kReads, kTransient, after_answers,
                nullptr, requests::subscribe, nullptr},
    RequestKind{Request::kMuteOutput, "mute_output", control, kChanges, kDurable, urgent,
                nullptr, requests::mute_output, nullptr},
    RequestKind{Request::kPanic, "panic", control, kChanges, kDurable, urgent,
                nullptr, requests::panic, nullptr},
    RequestKind{Request::kResetMeters, "reset_meters", control, kChanges, kTransient, after_answers,
                nullptr, requests::reset_meters, nullptr},
    RequestKind{Request::kGetFrequencyResponse, "get_frequency_response", read, kReads, kTransient, after_answers,
                nullptr, requests::get_frequency_response, nullptr},
    RequestKind{Request::kSetDevice, "set_device", admin, kChanges, kDurable, pipelined,
                nullptr, requests::set_device, nullptr},
    RequestKind{Request::kSetVolume, "set_volume", control, kChanges, kDurable, urgent,
                nullptr, requests::set_volume, nullptr},
    RequestKind{Request::kCreateToken, "create_token", admin, kChanges, kDurable, pipelined,
                nullptr, requests::create_token, nullptr},
    RequestKind{Request::kListTokens, "list_tokens", admin, kReads, kTransient, after_answers,
                nullptr, requests::list_tokens, nullptr},
    RequestKind{Request::kRevokeToken, "revoke_token", admin, kChanges, kDurable, pipelined,
                nullptr, requests::revoke_token, nullptr},
    RequestKind{Request::kUndo, "undo", control, kChanges, kDurable, pipelined,
                nullptr, requests::undo, nullptr},
    RequestKind{Request::kRedo, "redo", control, kChanges, kDurable, pipelined,
                nullptr, requests::redo, nullptr},
    RequestKind{Request::kGetHistory, "get_history", read, kReads, kTransient, after_answers,
                nullptr, requests::get_history, requests::smaller_history},
    RequestKind{Request::kGetTime, "get_time", read, kReads, kTransient, after_answers,
                nullptr, requests::get_time, nullptr},
    RequestKind{Request::kListPending, "list_pending", read, kReads, kTransient, after_answers,
                nullptr, requests::list_pending, nullptr},
    RequestKind{Request::kCancelPending, "cancel_pending", control, kChanges, kTransient, pipelined,
                nullptr, requests::cancel_pending, nullptr},
    RequestKind{Request::kSaveScene, "save_scene", control, kChanges, kDurable, pipelined,
                nullptr, requests::save_scene, nullptr},
    RequestKind{Request::kRecallScene, "recall_scene", control, kChanges, kDurable, pipelined,
                nullptr, requests::recall_scene, nullptr},
    RequestKind{Request::kListScenes, "list_scenes", read, kReads, kTransient, after_answers,
                nullptr, requests::list_scenes, nullptr},
    RequestKind{Request::kRenameScene, "rename_scene", control, kChanges, kDurable, pipelined,
                nullptr, requests::rename_scene, nullptr},
    RequestKind{Request::kRemoveScene, "remove_scene", control, kChanges, kDurable, pipelined,
                nullptr, requests::remove_scene, nullptr},
    RequestKind{Request::kGetScene, "get_scene", read, kReads, kTransient, after_answers,
                nullptr, requests::get_scene, requests::smaller_scene},
    RequestKind{Request::kConfirm, "confirm", control, kChanges, kDurable, pipelined,
                nullptr, requests::confirm, nullptr},
    RequestKind{Request::kRevert, "revert", control, kChanges, kDurable, pipelined,
                nullptr, requests::revert, nullptr},
    RequestKind{Request::kCreateCode, "create_code", control, kChanges, kTransient, pipelined,
                nullptr, requests::create_code, nullptr},
};
// clang-format on
static_assert(std::ranges::is_sorted(kTable, {}, &RequestKind::request_case));

}  // namespace

std::span<const RequestKind> request_table() { return kTable; }

const RequestKind* find_request_kind(v1::Request::RequestCase request_case) {
    const auto found = std::ranges::lower_bound(kTable, request_case, {}, &RequestKind::request_case);
    return found != kTable.end() && found->request_case == request_case ? &*found : nullptr;
}

}  // namespace rta::api
