// SPDX-License-Identifier: MIT
#include "rta/requests.h"

#include <utility>

namespace rta::client {

namespace {

/// An empty guard is not sent.
void set_guard(v1::Guard&& guard, auto& message) {
    if (guard.ByteSizeLong() != 0) *message.mutable_guard() = std::move(guard);
}

}  // namespace

v1::Request status_request() {
    v1::Request request;
    request.mutable_get_status();
    return request;
}

v1::Request graph_request() {
    v1::Request request;
    request.mutable_get_graph()->set_content(v1::GRAPH_CONTENT_MESSAGE);
    return request;
}

v1::Request node_types_request() {
    v1::Request request;
    request.mutable_list_node_types();
    return request;
}

v1::Request subscribe_request(const SubscribeOptions& options) {
    v1::Request request;
    v1::Subscribe& subscribe = *request.mutable_subscribe();
    for (const v1::Topic topic : options.topics) subscribe.add_topics(topic);
    if (options.telemetry_rate_hz) subscribe.set_telemetry_rate_hz(*options.telemetry_rate_hz);
    for (const std::string& node : options.nodes) subscribe.add_nodes(node);
    for (const WatchedPort& watched : options.watches) {
        v1::PortWatch& watch = *subscribe.add_watches();
        watch.set_port(watched.port);
        watch.set_spectrum(watched.spectrum);
    }
    return request;
}

v1::Request apply_request(std::vector<v1::Edit> edits, bool wait_for_start, v1::Guard guard) {
    v1::Request request;
    set_guard(std::move(guard), *request.mutable_apply_transaction());
    request.mutable_apply_transaction()->set_wait_for_start(wait_for_start);
    auto& list = *request.mutable_apply_transaction()->mutable_edits()->mutable_edits();
    for (v1::Edit& edit : edits) list.Add(std::move(edit));
    return request;
}

v1::Request load_request(std::string document, bool wait_for_start, v1::Guard guard) {
    v1::Request request;
    set_guard(std::move(guard), *request.mutable_apply_transaction());
    request.mutable_apply_transaction()->set_wait_for_start(wait_for_start);
    request.mutable_apply_transaction()->set_document(std::move(document));
    return request;
}

v1::Request set_parameters_request(std::vector<v1::SetParameter> changes, v1::Guard guard) {
    v1::Request request;
    set_guard(std::move(guard), *request.mutable_set_parameters());
    auto& list = *request.mutable_set_parameters()->mutable_changes();
    for (v1::SetParameter& change : changes) list.Add(std::move(change));
    return request;
}

v1::Request mute_request(bool muted) {
    v1::Request request;
    request.mutable_mute_output()->set_muted(muted);
    return request;
}

v1::Request set_volume_request(float volume_db) {
    v1::Request request;
    request.mutable_set_volume()->set_volume_db(volume_db);
    return request;
}

v1::Request panic_request() {
    v1::Request request;
    request.mutable_panic();
    return request;
}

namespace {

void fill(const UndoOptions& options, auto& message) {
    message.set_steps(options.steps);
    message.set_force(options.force);
    message.set_of_all(options.of_all);
    message.set_wait_for_start(options.wait_for_start);
    if (options.confirm_within_s) message.set_confirm_within_s(*options.confirm_within_s);
}

}  // namespace

v1::Request undo_request(const UndoOptions& options) {
    v1::Request request;
    fill(options, *request.mutable_undo());
    return request;
}

v1::Request redo_request(const UndoOptions& options) {
    v1::Request request;
    fill(options, *request.mutable_redo());
    return request;
}

v1::Request history_request(std::uint32_t steps) {
    v1::Request request;
    request.mutable_get_history()->set_steps(steps);
    return request;
}

v1::Request time_request() {
    v1::Request request;
    request.mutable_get_time();
    return request;
}

v1::Request pending_request() {
    v1::Request request;
    request.mutable_list_pending();
    return request;
}

v1::Request create_code_request(std::string role) {
    v1::Request request;
    request.mutable_create_code()->set_role(std::move(role));
    return request;
}

v1::Request cancel_request(std::uint64_t id) {
    v1::Request request;
    request.mutable_cancel_pending()->set_id(id);
    return request;
}

v1::Request save_scene_request(std::string name, std::vector<std::string> nodes) {
    v1::Request request;
    request.mutable_save_scene()->set_name(std::move(name));
    for (std::string& node : nodes) request.mutable_save_scene()->add_nodes(std::move(node));
    return request;
}

v1::Request recall_scene_request(std::string name, RecallOptions options) {
    v1::Request request;
    v1::RecallScene& recall = *request.mutable_recall_scene();
    recall.set_name(std::move(name));
    if (options.fade_ms) recall.set_fade_ms(*options.fade_ms);
    recall.set_wait_for_start(options.wait_for_start);
    if (options.at) *recall.mutable_at() = std::move(*options.at);
    if (options.guard) *recall.mutable_guard() = std::move(*options.guard);
    return request;
}

v1::Request scenes_request() {
    v1::Request request;
    request.mutable_list_scenes();
    return request;
}

v1::Request rename_scene_request(std::string name, std::string new_name) {
    v1::Request request;
    request.mutable_rename_scene()->set_name(std::move(name));
    request.mutable_rename_scene()->set_new_name(std::move(new_name));
    return request;
}

v1::Request remove_scene_request(std::string name) {
    v1::Request request;
    request.mutable_remove_scene()->set_name(std::move(name));
    return request;
}

v1::Request scene_request(std::string name) {
    v1::Request request;
    request.mutable_get_scene()->set_name(std::move(name));
    request.mutable_get_scene()->set_with_graph(true);
    request.mutable_get_scene()->set_with_diff(true);
    return request;
}

v1::Request confirm_request(std::optional<std::uint64_t> id) {
    v1::Request request;
    v1::Confirm& confirm = *request.mutable_confirm();
    if (id) confirm.set_id(*id);
    return request;
}

v1::Request revert_request(std::optional<std::uint64_t> id, bool wait_for_start) {
    v1::Request request;
    v1::Revert& revert = *request.mutable_revert();
    if (id) revert.set_id(*id);
    revert.set_wait_for_start(wait_for_start);
    return request;
}

v1::Request to_confirm(v1::Request request, std::uint32_t within_s) {
    request.mutable_apply_transaction()->set_confirm_within_s(within_s);
    return request;
}

v1::Request scheduled(v1::Request request, v1::When at) {
    if (request.has_set_parameters()) {
        *request.mutable_set_parameters()->mutable_at() = std::move(at);
    } else {
        *request.mutable_apply_transaction()->mutable_at() = std::move(at);
    }
    return request;
}

Error rejection(const v1::Status& status) {
    Error error{.kind = Error::Kind::rejected, .sentence = status.message(), .code = status.code()};
    if (status.has_edit_index()) error.edit_index = status.edit_index();
    if (status.has_conflict()) error.conflict = status.conflict();
    return error;
}

Error missing_result() {
    return {.kind = Error::Kind::protocol, .sentence = "the response of the daemon is OK, but has no result"};
}

}  // namespace rta::client
