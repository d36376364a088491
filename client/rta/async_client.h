// SPDX-License-Identifier: MIT
#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rta/client.h"
#include "rta/error.h"
#include "rta/subscription.h"
#include "rta/v1/control.pb.h"

#if !defined(ASIO_HAS_CO_AWAIT)
#error \
    "rta/async_client.h: Asio does not recognise the coroutines of this compiler: define ASIO_HAS_CO_AWAIT and ASIO_HAS_STD_COROUTINE, as the CMake package and pkg-config do"
#endif

// GCC 12 copies a temporary that was initialised with braces inside a co_await expression bit by bit. The default
// arguments therefore have parentheses; pass options as a named variable.
namespace rta {

namespace client {
class AsyncConnection;
class AsyncSubscriptionState;
}  // namespace client

/// The counterpart of Subscription for coroutines; all that is said there applies. It belongs to the executor of the
/// coroutine that opened it: with several threads, a strand. At most one next() at a time. It must not outlive the
/// io_context.
class AsyncSubscription {
 public:
    [[nodiscard]] static asio::awaitable<client::Expected<AsyncSubscription>> open(
        std::string address = std::string(), SubscribeOptions subscribe = SubscribeOptions(),
        ClientOptions options = ClientOptions());
    AsyncSubscription(AsyncSubscription&&) noexcept;
    AsyncSubscription& operator=(AsyncSubscription&&) noexcept;
    /// Disconnects. A next() in progress returns `interrupted`.
    ~AsyncSubscription();

    /// Returns the next item. If it is cancelled through Asio, it returns `interrupted`, and no item is lost.
    [[nodiscard]] asio::awaitable<client::Expected<SubscriptionItem>> next();

 private:
    explicit AsyncSubscription(std::shared_ptr<client::AsyncSubscriptionState> state);
    friend class AsyncClient;
    static asio::awaitable<client::Expected<AsyncSubscription>> open_at(client::Endpoints endpoints,
                                                                        SubscribeOptions subscribe,
                                                                        ClientOptions options);

    std::shared_ptr<client::AsyncSubscriptionState> state_;
};

/// The counterpart of Client for coroutines. Any number of calls may be in progress: their requests are pipelined. It
/// belongs to the executor of the coroutine that connected it: with several threads, a strand. It must not outlive the
/// io_context.
///
///     asio::awaitable<void> play() {
///         auto client = co_await rta::AsyncClient::connect();
///         if (client) co_await client->set_parameter("osc", "gain_db", -12);
///     }
class AsyncClient {
 public:
    /// As Client::connect(). Connecting does not block the executor.
    [[nodiscard]] static asio::awaitable<client::Expected<AsyncClient>> connect(
        std::string address = std::string(), ClientOptions options = ClientOptions());
    AsyncClient(AsyncClient&&) noexcept;
    AsyncClient& operator=(AsyncClient&&) noexcept;
    /// Disconnects. Calls in progress return `interrupted`.
    ~AsyncClient();

    [[nodiscard]] const v1::HelloResult& hello() const;

    // As the calls of Client. A call that is cancelled through Asio returns `interrupted`; the daemon may still execute
    // its request.
    template <class Result>
    using Awaitable = asio::awaitable<client::Expected<Result>>;

    [[nodiscard]] Awaitable<v1::Response> call(v1::Request request);
    [[nodiscard]] Awaitable<v1::StatusResult> status();
    [[nodiscard]] Awaitable<v1::GraphResult> graph();
    [[nodiscard]] Awaitable<v1::NodeTypesResult> node_types();
    [[nodiscard]] Awaitable<v1::TransactionResult> apply(std::vector<v1::Edit> edits, WaitFor wait = WaitFor::commit,
                                                         v1::Guard guard = v1::Guard());
    [[nodiscard]] Awaitable<v1::TransactionResult> load(std::string document, WaitFor wait = WaitFor::commit,
                                                        v1::Guard guard = v1::Guard());
    [[nodiscard]] Awaitable<v1::ParametersResult> set_parameters(std::vector<v1::SetParameter> changes,
                                                                 v1::Guard guard = v1::Guard());
    [[nodiscard]] Awaitable<v1::ParametersResult> set_parameter(std::string_view node, std::string_view parameter,
                                                                float value, v1::Guard guard = v1::Guard());
    [[nodiscard]] Awaitable<v1::MuteOutputResult> mute(bool muted = true);
    [[nodiscard]] Awaitable<v1::SetVolumeResult> set_volume(float volume_db);
    [[nodiscard]] Awaitable<v1::PanicResult> panic();
    [[nodiscard]] Awaitable<v1::UndoResult> undo(UndoOptions options = UndoOptions());
    [[nodiscard]] Awaitable<v1::UndoResult> redo(UndoOptions options = UndoOptions());
    [[nodiscard]] Awaitable<v1::HistoryResult> history(std::uint32_t steps = 20);
    [[nodiscard]] Awaitable<v1::TimeResult> time();
    [[nodiscard]] Awaitable<v1::TransactionResult> apply_at(v1::When at, std::vector<v1::Edit> edits);
    [[nodiscard]] Awaitable<v1::ParametersResult> set_parameters_at(v1::When at, std::vector<v1::SetParameter> changes);
    [[nodiscard]] Awaitable<v1::PendingResult> pending();
    [[nodiscard]] Awaitable<v1::CancelPendingResult> cancel(std::uint64_t id);
    [[nodiscard]] Awaitable<v1::CreateCodeResult> create_code(std::string role = std::string());
    [[nodiscard]] Awaitable<v1::TransactionResult> apply_to_confirm(std::uint32_t within_s, std::vector<v1::Edit> edits,
                                                                    WaitFor wait = WaitFor::commit,
                                                                    v1::Guard guard = v1::Guard());
    [[nodiscard]] Awaitable<v1::TransactionResult> load_to_confirm(std::uint32_t within_s, std::string document,
                                                                   WaitFor wait = WaitFor::commit,
                                                                   v1::Guard guard = v1::Guard());
    [[nodiscard]] Awaitable<v1::ConfirmResult> confirm(std::optional<std::uint64_t> id = std::nullopt);
    [[nodiscard]] Awaitable<v1::UndoResult> revert(std::optional<std::uint64_t> id = std::nullopt,
                                                   WaitFor wait = WaitFor::commit);
    [[nodiscard]] Awaitable<v1::SaveSceneResult> save_scene(
        std::string name, std::vector<std::string> nodes = std::vector<std::string>());
    [[nodiscard]] Awaitable<v1::RecallSceneResult> recall_scene(std::string name,
                                                                RecallOptions options = RecallOptions());
    [[nodiscard]] Awaitable<v1::ScenesResult> scenes();
    [[nodiscard]] Awaitable<v1::RenameSceneResult> rename_scene(std::string name, std::string new_name);
    [[nodiscard]] Awaitable<v1::RemoveSceneResult> remove_scene(std::string name);
    [[nodiscard]] Awaitable<v1::SceneResult> scene(std::string name);

    /// Subscribes to events, with a connection of its own to the same daemon.
    [[nodiscard]] Awaitable<AsyncSubscription> subscribe(SubscribeOptions options = SubscribeOptions()) const;

 private:
    explicit AsyncClient(std::shared_ptr<client::AsyncConnection> connection);
    std::shared_ptr<client::AsyncConnection> connection_;
};

}  // namespace rta
