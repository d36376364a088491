// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rta/client_options.h"
#include "rta/edits.h"
#include "rta/error.h"
#include "rta/recall_options.h"
#include "rta/subscription.h"
#include "rta/undo_options.h"
#include "rta/v1/control.pb.h"

namespace rta {

/// Whether a call returns when a transaction is committed, or when it begins to be heard.
enum class WaitFor : std::uint8_t { commit, start };

/// A client of one daemon. Calls block, none longer than ClientOptions::timeout. Not thread-safe.
///
///     auto client = rta::Client::connect();
///     if (!client) return std::cerr << client.error().sentence << '\n', 1;
///     client->apply({rta::add_node_edit("osc", "sine"), rta::add_node_edit("out", "output"),
///                    rta::connect_edit("osc", "out")});
///
/// After an error of kind lost, refused or protocol the client is disconnected, and every further call returns the same
/// error: connect again. After a timeout the client can be used further, but it is not known whether the daemon has
/// made the change.
class Client {
 public:
    /// Connects to a daemon: `HOST`, `HOST:PORT`, `[IPV6]:PORT`, or the path of a Unix socket. Empty: the daemon that rtactl
    /// would use. It is that of the environment variable RTACTL_HOST, or else one on this machine, at its usual addresses.
    /// Then, if the options have no token, the variable RTACTL_TOKEN_FILE names a file with one.
    [[nodiscard]] static client::Expected<Client> connect(std::string_view address = {}, ClientOptions options = {});

    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;
    ~Client();

    /// The daemon's response to Hello: its version, and the id of this instance.
    [[nodiscard]] const v1::HelloResult& hello() const;

    /// Sends a request and receives its response, whose status the caller must check. A response may have an error and
    /// a result: the change is committed, but was not confirmed in time.
    [[nodiscard]] client::Expected<v1::Response> call(v1::Request request);
    /// Sends a request without waiting for the response, and returns its id.
    [[nodiscard]] client::Expected<std::uint64_t> send(v1::Request request);
    /// Receives the response to the request with this id, once; in any order.
    [[nodiscard]] client::Expected<v1::Response> receive(std::uint64_t id);

    // These return an error of the daemon as Error::Kind::rejected. A result without `frame` may mean that the change is
    // committed, but was not confirmed in time.

    client::Expected<v1::StatusResult> status();
    /// Returns the graph as a message.
    client::Expected<v1::GraphResult> graph();
    client::Expected<v1::NodeTypesResult> node_types();
    /// Applies the edits in one transaction: all or none. A guard states what the graph must not have become in the
    /// meantime; see expect_revision().
    client::Expected<v1::TransactionResult> apply(std::vector<v1::Edit> edits, WaitFor wait = WaitFor::commit,
                                                  v1::Guard guard = {});
    /// Replaces the graph by that of a document, given as text.
    client::Expected<v1::TransactionResult> load(std::string document, WaitFor wait = WaitFor::commit,
                                                 v1::Guard guard = {});
    /// Changes parameters together, in one block.
    client::Expected<v1::ParametersResult> set_parameters(std::vector<v1::SetParameter> changes, v1::Guard guard = {});
    client::Expected<v1::ParametersResult> set_parameter(std::string_view node, std::string_view parameter, float value,
                                                         v1::Guard guard = {});
    /// Mutes the device output, or unmutes it.
    client::Expected<v1::MuteOutputResult> mute(bool muted = true);
    /// Sets the gain of the device output, -120 to 12 dB.
    client::Expected<v1::SetVolumeResult> set_volume(float volume_db);
    /// Mutes the device output and resets all processors.
    client::Expected<v1::PanicResult> panic();
    /// Undoes the latest changes of the graph by the author of this client, as one transaction.
    client::Expected<v1::UndoResult> undo(UndoOptions options = {});
    /// Applies again what the author has undone.
    client::Expected<v1::UndoResult> redo(UndoOptions options = {});
    /// Returns up to 1000 steps of all authors, the latest first.
    client::Expected<v1::HistoryResult> history(std::uint32_t steps = 20);

    /// Relates the engine's sample clock to CLOCK_MONOTONIC and UTC.
    client::Expected<v1::TimeResult> time();
    // Edits that are made later; see edits.h for the times. The daemon keeps them in memory.
    /// Applies the edits in one transaction, in the block that holds the frame of the time. The result has `pending`.
    client::Expected<v1::TransactionResult> apply_at(v1::When at, std::vector<v1::Edit> edits);
    /// Changes parameters at exactly the frame of the time. The result has `pending`.
    client::Expected<v1::ParametersResult> set_parameters_at(v1::When at, std::vector<v1::SetParameter> changes);
    /// Lists the edits that wait, the earliest first.
    client::Expected<v1::PendingResult> pending();
    /// Cancels an edit that waits.
    client::Expected<v1::CancelPendingResult> cancel(std::uint64_t id);

    // Edits that the daemon reverts unless they are confirmed within a time, 1 to 600 s: also if this client vanishes.
    /// As apply(). The result has `confirmation`.
    client::Expected<v1::TransactionResult> apply_to_confirm(std::uint32_t within_s, std::vector<v1::Edit> edits,
                                                             WaitFor wait = WaitFor::commit, v1::Guard guard = {});
    /// As load(). The result has `confirmation`.
    client::Expected<v1::TransactionResult> load_to_confirm(std::uint32_t within_s, std::string document,
                                                            WaitFor wait = WaitFor::commit, v1::Guard guard = {});
    /// Keeps the edit that waits; `id` of its confirmation, or whichever waits.
    client::Expected<v1::ConfirmResult> confirm(std::optional<std::uint64_t> id = {});
    /// Reverts it now.
    client::Expected<v1::UndoResult> revert(std::optional<std::uint64_t> id = {}, WaitFor wait = WaitFor::commit);

    // Scenes: named copies of the graph, or of some of its nodes.
    /// Saves the graph, or these nodes, with the connections between them. Replaces a scene of that name.
    client::Expected<v1::SaveSceneResult> save_scene(std::string name, std::vector<std::string> nodes = {});
    /// Makes the graph that of a scene, as one transaction.
    client::Expected<v1::RecallSceneResult> recall_scene(std::string name, RecallOptions options = {});
    /// Lists all scenes, sorted by name.
    client::Expected<v1::ScenesResult> scenes();
    client::Expected<v1::RenameSceneResult> rename_scene(std::string name, std::string new_name);
    client::Expected<v1::RemoveSceneResult> remove_scene(std::string name);
    /// Returns the graph of a scene, and the edits with which a recall would change the current graph.
    client::Expected<v1::SceneResult> scene(std::string name);

    /// Creates a one-time code, with which another client may enter: "code:" and the code as ClientOptions::token. Empty: the
    /// role of this client.
    client::Expected<v1::CreateCodeResult> create_code(std::string role = {});

    /// Subscribes to events, with a connection of its own to the same daemon.
    [[nodiscard]] client::Expected<Subscription> subscribe(SubscribeOptions options = {}) const;

 private:
    struct Impl;
    explicit Client(std::unique_ptr<Impl> impl);
    template <class Result>
    client::Expected<Result> result(v1::Request request);

    std::unique_ptr<Impl> impl_;
};

}  // namespace rta
