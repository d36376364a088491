// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/unique_fd.h"
#include "rta/v1/control.pb.h"
#include "support/deadline.h"

namespace rta::test {

/// A connection to the daemon that speaks the protocol with nothing but the generated messages and protobuf's own
/// delimited framing: neither the client library nor the daemon's frame codec, which it is to check. One thread at a
/// time.
///
/// What goes wrong with the connection itself throws std::runtime_error; refusals of the daemon are returned.
class ProtocolClient {
 public:
    [[nodiscard]] static ProtocolClient connect_unix(const std::filesystem::path& path);
    [[nodiscard]] static ProtocolClient connect_tcp(std::uint16_t port);

    /// As they are.
    void send_bytes(std::string_view bytes);
    /// No more will be sent; answers can still be received.
    void finish_sending();
    void send(const v1::Request& request);
    /// Of the responses in their order; events that arrive before it are kept for next_event().
    [[nodiscard]] v1::Response receive_response(std::chrono::milliseconds patience = kPatience);
    /// nullopt if none has come within `patience`.
    [[nodiscard]] std::optional<v1::Event> next_event(std::chrono::milliseconds patience = kPatience);
    /// True once the daemon has closed the connection; what it still sends before that is kept.
    [[nodiscard]] bool wait_closed(std::chrono::milliseconds patience = kPatience);

    /// Sends under a fresh id, waits for the answer, checks that it carries the id.
    v1::Response call(v1::Request request);
    /// Hello with the right version. Throws if it is refused.
    v1::HelloResult hello(const std::string& client_name = "e2e");

    // The rest throws, with the daemon's sentence, if the daemon refuses.
    v1::StatusResult status();
    v1::GraphResult graph();
    v1::SubscribeResult subscribe(const std::vector<v1::Topic>& topics = {v1::TOPIC_CHANGES},
                                  std::optional<float> telemetry_rate_hz = {});
    v1::TransactionResult apply(const v1::EditList& edits);
    v1::TransactionResult apply_document(const std::string& text);
    v1::ParametersResult set_parameter(const std::string& node, const std::string& parameter, float value);

 private:
    explicit ProtocolClient(os::UniqueFd socket) : socket_{std::move(socket)} {}

    enum class Received { message, closed, nothing };
    /// Reads one message into responses_ or events_.
    Received receive(const Deadline& deadline);
    [[nodiscard]] bool take_message();

    os::UniqueFd socket_;
    std::string buffer_;
    bool closed_ = false;
    std::deque<v1::Response> responses_;
    std::deque<v1::Event> events_;
    std::uint64_t next_id_ = 1;
};

/// The message as protobuf's own library frames it.
[[nodiscard]] std::string delimited(const v1::Request& request);

// Edits, for transactions.
using Values = std::initializer_list<std::pair<const char*, float>>;
[[nodiscard]] v1::Edit add_node(const std::string& type, const std::string& name, Values parameters = {},
                                Values settings = {});
[[nodiscard]] v1::Edit remove_node(const std::string& name);
[[nodiscard]] v1::Edit connect(const std::string& from, const std::string& to, std::optional<float> gain_db = {});
[[nodiscard]] v1::Edit disconnect(const std::string& from, const std::string& to);
[[nodiscard]] v1::Edit set_parameter(const std::string& node, const std::string& parameter, float value);
[[nodiscard]] v1::EditList transaction(std::vector<v1::Edit> edits);
[[nodiscard]] v1::Request apply_request(const v1::EditList& edits);

}  // namespace rta::test
