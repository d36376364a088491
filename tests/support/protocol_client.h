// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/unique_fd.h"
#include "rta/v1/control.pb.h"
#include "support/deadline.h"
#include "support/edits.h"

namespace rta::test {

/// A connection to the daemon that uses only the generated messages and protobuf's own delimited framing. It does not
/// share code with the client library or the daemon's frame codec, because it verifies them. Not thread-safe.
///
/// Errors of the connection itself throw std::runtime_error; errors of the daemon are returned.
class ProtocolClient {
 public:
    [[nodiscard]] static ProtocolClient connect_unix(const std::filesystem::path& path);
    [[nodiscard]] static ProtocolClient connect_tcp(std::uint16_t port);

    /// Sends bytes unchanged.
    void send_bytes(std::string_view bytes);
    /// Closes the connection for sending; responses can still be received.
    void finish_sending();
    void send(const v1::Request& request);
    /// Returns the next response. Events that arrive before it are queued for next_event().
    [[nodiscard]] v1::Response receive_response(std::chrono::milliseconds patience = kPatience);
    /// Returns the next event; nullopt if none arrives within `patience`.
    [[nodiscard]] std::optional<v1::Event> next_event(std::chrono::milliseconds patience = kPatience);
    /// Returns true when the daemon has closed the connection. Messages received before that are queued.
    [[nodiscard]] bool wait_closed(std::chrono::milliseconds patience = kPatience);

    /// Sends a request with a new id, waits for the response, and verifies the id.
    v1::Response call(v1::Request request);
    /// Sends Hello with the correct version. Throws if it is refused.
    v1::HelloResult hello(const std::string& client_name = "e2e");

    // The following calls throw the daemon's error message if the daemon refuses.
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

/// Returns the message with the framing of the protobuf library.
[[nodiscard]] std::string delimited(const v1::Request& request);

}  // namespace rta::test
