// SPDX-License-Identifier: MIT
#include "rta/client.h"

#include <utility>

#include "rta/daemon_client.h"
#include "rta/endpoint.h"
#include "rta/requests.h"
#include "rta/target.h"

namespace rta {

struct Client::Impl {
    client::DaemonClient daemon;
    ClientOptions options;
};

Client::Client(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

client::Expected<Client> Client::connect(std::string_view address, ClientOptions options) {
    auto target = client::target_of(address, std::move(options));
    if (!target) return std::unexpected(std::move(target.error()));
    auto daemon = client::DaemonClient::open(target->endpoints.list, target->options);
    if (!daemon) return std::unexpected(std::move(daemon.error()));
    client::keep_session(target->options, daemon->hello());
    return Client{std::make_unique<Impl>(Impl{std::move(*daemon), std::move(target->options)})};
}

const v1::HelloResult& Client::hello() const { return impl_->daemon.hello(); }

client::Expected<v1::Response> Client::call(v1::Request request) { return impl_->daemon.call(std::move(request)); }

client::Expected<std::uint64_t> Client::send(v1::Request request) { return impl_->daemon.send(std::move(request)); }

client::Expected<v1::Response> Client::receive(std::uint64_t id) { return impl_->daemon.receive(id); }

template <class Result>
client::Expected<Result> Client::result(v1::Request request) {
    return client::result_of<Result>(call(std::move(request)));
}

client::Expected<v1::StatusResult> Client::status() { return result<v1::StatusResult>(client::status_request()); }

client::Expected<v1::GraphResult> Client::graph() { return result<v1::GraphResult>(client::graph_request()); }

client::Expected<v1::NodeTypesResult> Client::node_types() {
    return result<v1::NodeTypesResult>(client::node_types_request());
}

client::Expected<v1::TransactionResult> Client::apply(std::vector<v1::Edit> edits, WaitFor wait, v1::Guard guard) {
    return result<v1::TransactionResult>(
        client::apply_request(std::move(edits), wait == WaitFor::start, std::move(guard)));
}

client::Expected<v1::TransactionResult> Client::load(std::string document, WaitFor wait, v1::Guard guard) {
    return result<v1::TransactionResult>(
        client::load_request(std::move(document), wait == WaitFor::start, std::move(guard)));
}

client::Expected<v1::ParametersResult> Client::set_parameters(std::vector<v1::SetParameter> changes, v1::Guard guard) {
    return result<v1::ParametersResult>(client::set_parameters_request(std::move(changes), std::move(guard)));
}

client::Expected<v1::ParametersResult> Client::set_parameter(std::string_view node, std::string_view parameter,
                                                             float value, v1::Guard guard) {
    return set_parameters({parameter_change(node, parameter, value)}, std::move(guard));
}

client::Expected<v1::MuteOutputResult> Client::mute(bool muted) {
    return result<v1::MuteOutputResult>(client::mute_request(muted));
}

client::Expected<v1::SetVolumeResult> Client::set_volume(float volume_db) {
    return result<v1::SetVolumeResult>(client::set_volume_request(volume_db));
}

client::Expected<v1::PanicResult> Client::panic() { return result<v1::PanicResult>(client::panic_request()); }

client::Expected<v1::UndoResult> Client::undo(UndoOptions options) {
    return result<v1::UndoResult>(client::undo_request(options));
}

client::Expected<v1::UndoResult> Client::redo(UndoOptions options) {
    return result<v1::UndoResult>(client::redo_request(options));
}

client::Expected<v1::HistoryResult> Client::history(std::uint32_t steps) {
    return result<v1::HistoryResult>(client::history_request(steps));
}

client::Expected<v1::TimeResult> Client::time() { return result<v1::TimeResult>(client::time_request()); }

client::Expected<v1::TransactionResult> Client::apply_at(v1::When at, std::vector<v1::Edit> edits) {
    return result<v1::TransactionResult>(
        client::scheduled(client::apply_request(std::move(edits), false, {}), std::move(at)));
}

client::Expected<v1::ParametersResult> Client::set_parameters_at(v1::When at, std::vector<v1::SetParameter> changes) {
    return result<v1::ParametersResult>(
        client::scheduled(client::set_parameters_request(std::move(changes), {}), std::move(at)));
}

client::Expected<v1::PendingResult> Client::pending() { return result<v1::PendingResult>(client::pending_request()); }

client::Expected<v1::CancelPendingResult> Client::cancel(std::uint64_t id) {
    return result<v1::CancelPendingResult>(client::cancel_request(id));
}

client::Expected<v1::TransactionResult> Client::apply_to_confirm(std::uint32_t within_s, std::vector<v1::Edit> edits,
                                                                 WaitFor wait, v1::Guard guard) {
    return result<v1::TransactionResult>(client::to_confirm(
        client::apply_request(std::move(edits), wait == WaitFor::start, std::move(guard)), within_s));
}

client::Expected<v1::TransactionResult> Client::load_to_confirm(std::uint32_t within_s, std::string document,
                                                                WaitFor wait, v1::Guard guard) {
    return result<v1::TransactionResult>(client::to_confirm(
        client::load_request(std::move(document), wait == WaitFor::start, std::move(guard)), within_s));
}

client::Expected<v1::CreateCodeResult> Client::create_code(std::string role) {
    return result<v1::CreateCodeResult>(client::create_code_request(std::move(role)));
}

client::Expected<v1::ConfirmResult> Client::confirm(std::optional<std::uint64_t> id) {
    return result<v1::ConfirmResult>(client::confirm_request(id));
}

client::Expected<v1::UndoResult> Client::revert(std::optional<std::uint64_t> id, WaitFor wait) {
    return result<v1::UndoResult>(client::revert_request(id, wait == WaitFor::start));
}

client::Expected<v1::SaveSceneResult> Client::save_scene(std::string name, std::vector<std::string> nodes) {
    return result<v1::SaveSceneResult>(client::save_scene_request(std::move(name), std::move(nodes)));
}

client::Expected<v1::RecallSceneResult> Client::recall_scene(std::string name, RecallOptions options) {
    return result<v1::RecallSceneResult>(client::recall_scene_request(std::move(name), std::move(options)));
}

client::Expected<v1::ScenesResult> Client::scenes() { return result<v1::ScenesResult>(client::scenes_request()); }

client::Expected<v1::RenameSceneResult> Client::rename_scene(std::string name, std::string new_name) {
    return result<v1::RenameSceneResult>(client::rename_scene_request(std::move(name), std::move(new_name)));
}

client::Expected<v1::RemoveSceneResult> Client::remove_scene(std::string name) {
    return result<v1::RemoveSceneResult>(client::remove_scene_request(std::move(name)));
}

client::Expected<v1::SceneResult> Client::scene(std::string name) {
    return result<v1::SceneResult>(client::scene_request(std::move(name)));
}

client::Expected<Subscription> Client::subscribe(SubscribeOptions options) const {
    return Subscription::open_at({{impl_->daemon.endpoint()}}, std::move(options), impl_->options);
}

}  // namespace rta
