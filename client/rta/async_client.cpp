// SPDX-License-Identifier: MIT
#include "rta/async_client.h"

#include <utility>

#include "rta/async_connection.h"
#include "rta/async_subscription.h"
#include "rta/endpoint.h"
#include "rta/requests.h"
#include "rta/target.h"

namespace rta {

using client::AsyncConnection;
using client::AsyncSubscriptionState;
using client::Expected;

namespace {

template <class Result>
asio::awaitable<Expected<Result>> result_of_call(AsyncConnection::Pointer connection, v1::Request request) {
    Expected<v1::Response> response = co_await AsyncConnection::call(std::move(connection), std::move(request));
    co_return client::result_of<Result>(std::move(response));
}

}  // namespace

AsyncSubscription::AsyncSubscription(std::shared_ptr<AsyncSubscriptionState> state) : state_{std::move(state)} {}
AsyncSubscription::AsyncSubscription(AsyncSubscription&&) noexcept = default;
AsyncSubscription& AsyncSubscription::operator=(AsyncSubscription&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
}
AsyncSubscription::~AsyncSubscription() {
    if (state_) state_->close();
}

asio::awaitable<Expected<AsyncSubscription>> AsyncSubscription::open(std::string address, SubscribeOptions subscribe,
                                                                     ClientOptions options) {
    Expected<client::Target> target = client::target_of(address, std::move(options));
    if (!target) co_return std::unexpected(std::move(target.error()));
    Expected<AsyncSubscription> opened =
        co_await open_at(std::move(target->endpoints), std::move(subscribe), std::move(target->options));
    co_return opened;
}

asio::awaitable<Expected<AsyncSubscription>> AsyncSubscription::open_at(client::Endpoints endpoints,
                                                                        SubscribeOptions subscribe,
                                                                        ClientOptions options) {
    Expected<AsyncSubscriptionState::Pointer> state =
        co_await AsyncSubscriptionState::open(std::move(endpoints), std::move(subscribe), std::move(options));
    if (!state) co_return std::unexpected(std::move(state.error()));
    co_return AsyncSubscription{std::move(*state)};
}

asio::awaitable<Expected<SubscriptionItem>> AsyncSubscription::next() { return AsyncSubscriptionState::next(state_); }

AsyncClient::AsyncClient(std::shared_ptr<AsyncConnection> connection) : connection_{std::move(connection)} {}
AsyncClient::AsyncClient(AsyncClient&&) noexcept = default;
AsyncClient& AsyncClient::operator=(AsyncClient&& other) noexcept {
    std::swap(connection_, other.connection_);
    return *this;
}
AsyncClient::~AsyncClient() {
    if (connection_) connection_->close();
}

asio::awaitable<Expected<AsyncClient>> AsyncClient::connect(std::string address, ClientOptions options) {
    Expected<client::Target> target = client::target_of(address, std::move(options));
    if (!target) co_return std::unexpected(std::move(target.error()));
    Expected<AsyncConnection::Pointer> connection = co_await AsyncConnection::open(
        std::move(target->endpoints), std::move(target->options), AsyncConnection::Events::discard);
    if (!connection) co_return std::unexpected(std::move(connection.error()));
    co_return AsyncClient{std::move(*connection)};
}

const v1::HelloResult& AsyncClient::hello() const { return connection_->client().hello(); }

AsyncClient::Awaitable<v1::Response> AsyncClient::call(v1::Request request) {
    return AsyncConnection::call(connection_, std::move(request));
}

AsyncClient::Awaitable<v1::StatusResult> AsyncClient::status() {
    return result_of_call<v1::StatusResult>(connection_, client::status_request());
}

AsyncClient::Awaitable<v1::GraphResult> AsyncClient::graph() {
    return result_of_call<v1::GraphResult>(connection_, client::graph_request());
}

AsyncClient::Awaitable<v1::NodeTypesResult> AsyncClient::node_types() {
    return result_of_call<v1::NodeTypesResult>(connection_, client::node_types_request());
}

AsyncClient::Awaitable<v1::TransactionResult> AsyncClient::apply(std::vector<v1::Edit> edits, WaitFor wait,
                                                                 v1::Guard guard) {
    return result_of_call<v1::TransactionResult>(
        connection_, client::apply_request(std::move(edits), wait == WaitFor::start, std::move(guard)));
}

AsyncClient::Awaitable<v1::TransactionResult> AsyncClient::load(std::string document, WaitFor wait, v1::Guard guard) {
    return result_of_call<v1::TransactionResult>(
        connection_, client::load_request(std::move(document), wait == WaitFor::start, std::move(guard)));
}

AsyncClient::Awaitable<v1::ParametersResult> AsyncClient::set_parameters(std::vector<v1::SetParameter> changes,
                                                                         v1::Guard guard) {
    return result_of_call<v1::ParametersResult>(connection_,
                                                client::set_parameters_request(std::move(changes), std::move(guard)));
}

AsyncClient::Awaitable<v1::ParametersResult> AsyncClient::set_parameter(std::string_view node,
                                                                        std::string_view parameter, float value,
                                                                        v1::Guard guard) {
    return set_parameters({parameter_change(node, parameter, value)}, std::move(guard));
}

AsyncClient::Awaitable<v1::MuteOutputResult> AsyncClient::mute(bool muted) {
    return result_of_call<v1::MuteOutputResult>(connection_, client::mute_request(muted));
}

AsyncClient::Awaitable<v1::SetVolumeResult> AsyncClient::set_volume(float volume_db) {
    return result_of_call<v1::SetVolumeResult>(connection_, client::set_volume_request(volume_db));
}

AsyncClient::Awaitable<v1::PanicResult> AsyncClient::panic() {
    return result_of_call<v1::PanicResult>(connection_, client::panic_request());
}

AsyncClient::Awaitable<v1::UndoResult> AsyncClient::undo(UndoOptions options) {
    return result_of_call<v1::UndoResult>(connection_, client::undo_request(options));
}

AsyncClient::Awaitable<v1::UndoResult> AsyncClient::redo(UndoOptions options) {
    return result_of_call<v1::UndoResult>(connection_, client::redo_request(options));
}

AsyncClient::Awaitable<v1::HistoryResult> AsyncClient::history(std::uint32_t steps) {
    return result_of_call<v1::HistoryResult>(connection_, client::history_request(steps));
}

AsyncClient::Awaitable<v1::TimeResult> AsyncClient::time() {
    return result_of_call<v1::TimeResult>(connection_, client::time_request());
}

AsyncClient::Awaitable<v1::TransactionResult> AsyncClient::apply_at(v1::When at, std::vector<v1::Edit> edits) {
    return result_of_call<v1::TransactionResult>(
        connection_, client::scheduled(client::apply_request(std::move(edits), false, {}), std::move(at)));
}

AsyncClient::Awaitable<v1::ParametersResult> AsyncClient::set_parameters_at(v1::When at,
                                                                            std::vector<v1::SetParameter> changes) {
    return result_of_call<v1::ParametersResult>(
        connection_, client::scheduled(client::set_parameters_request(std::move(changes), {}), std::move(at)));
}

AsyncClient::Awaitable<v1::PendingResult> AsyncClient::pending() {
    return result_of_call<v1::PendingResult>(connection_, client::pending_request());
}

AsyncClient::Awaitable<v1::CreateCodeResult> AsyncClient::create_code(std::string role) {
    return result_of_call<v1::CreateCodeResult>(connection_, client::create_code_request(std::move(role)));
}

AsyncClient::Awaitable<v1::CancelPendingResult> AsyncClient::cancel(std::uint64_t id) {
    return result_of_call<v1::CancelPendingResult>(connection_, client::cancel_request(id));
}

AsyncClient::Awaitable<v1::TransactionResult> AsyncClient::apply_to_confirm(std::uint32_t within_s,
                                                                            std::vector<v1::Edit> edits, WaitFor wait,
                                                                            v1::Guard guard) {
    return result_of_call<v1::TransactionResult>(
        connection_, client::to_confirm(
                         client::apply_request(std::move(edits), wait == WaitFor::start, std::move(guard)), within_s));
}

AsyncClient::Awaitable<v1::TransactionResult> AsyncClient::load_to_confirm(std::uint32_t within_s, std::string document,
                                                                           WaitFor wait, v1::Guard guard) {
    return result_of_call<v1::TransactionResult>(
        connection_,
        client::to_confirm(client::load_request(std::move(document), wait == WaitFor::start, std::move(guard)),
                           within_s));
}

AsyncClient::Awaitable<v1::ConfirmResult> AsyncClient::confirm(std::optional<std::uint64_t> id) {
    return result_of_call<v1::ConfirmResult>(connection_, client::confirm_request(id));
}

AsyncClient::Awaitable<v1::UndoResult> AsyncClient::revert(std::optional<std::uint64_t> id, WaitFor wait) {
    return result_of_call<v1::UndoResult>(connection_, client::revert_request(id, wait == WaitFor::start));
}

AsyncClient::Awaitable<v1::SaveSceneResult> AsyncClient::save_scene(std::string name, std::vector<std::string> nodes) {
    return result_of_call<v1::SaveSceneResult>(connection_,
                                               client::save_scene_request(std::move(name), std::move(nodes)));
}

AsyncClient::Awaitable<v1::RecallSceneResult> AsyncClient::recall_scene(std::string name, RecallOptions options) {
    return result_of_call<v1::RecallSceneResult>(connection_,
                                                 client::recall_scene_request(std::move(name), std::move(options)));
}

AsyncClient::Awaitable<v1::ScenesResult> AsyncClient::scenes() {
    return result_of_call<v1::ScenesResult>(connection_, client::scenes_request());
}

AsyncClient::Awaitable<v1::RenameSceneResult> AsyncClient::rename_scene(std::string name, std::string new_name) {
    return result_of_call<v1::RenameSceneResult>(connection_,
                                                 client::rename_scene_request(std::move(name), std::move(new_name)));
}

AsyncClient::Awaitable<v1::RemoveSceneResult> AsyncClient::remove_scene(std::string name) {
    return result_of_call<v1::RemoveSceneResult>(connection_, client::remove_scene_request(std::move(name)));
}

AsyncClient::Awaitable<v1::SceneResult> AsyncClient::scene(std::string name) {
    return result_of_call<v1::SceneResult>(connection_, client::scene_request(std::move(name)));
}

AsyncClient::Awaitable<AsyncSubscription> AsyncClient::subscribe(SubscribeOptions options) const {
    return AsyncSubscription::open_at(client::Endpoints{{connection_->client().endpoint()}}, std::move(options),
                                      connection_->options());
}

}  // namespace rta
