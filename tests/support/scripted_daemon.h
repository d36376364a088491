// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "os/unique_fd.h"
#include "rta/endpoint.h"
#include "rta/v1/control.pb.h"
#include "support/loopback_listener.h"

namespace rta::test {

/// The reaction of a scripted daemon to a request.
struct Reply {
    std::string bytes{};  ///< sent unchanged; see frame()
    bool close = false;   ///< close the socket after sending
    bool repeat = false;  ///< send the bytes until the client disconnects
};

/// Returns the message with its length prefix.
[[nodiscard]] std::string frame(const v1::Response& response);
[[nodiscard]] std::string frame(const v1::Event& event);
/// Returns a response with status OK, and an empty result, to this request.
[[nodiscard]] v1::Response ok(const v1::Request& request);
[[nodiscard]] v1::Response refusal(const v1::Request& request, v1::Code code, const std::string& sentence);
/// Returns an event with this number.
[[nodiscard]] v1::Event heard(std::uint64_t number);

/// Listens on a loopback port and answers the requests of all clients as `handler` decides, one at a time.
class ScriptedDaemon {
 public:
    using Handler = std::function<Reply(const v1::Request&)>;

    /// Answers Hello without calling `handler`.
    explicit ScriptedDaemon(Handler handler);
    /// Calls `handler` for Hello, too. Sends `greeting` to each client before reading.
    ScriptedDaemon(Handler handler, std::string greeting);
    ScriptedDaemon(const ScriptedDaemon&) = delete;
    ScriptedDaemon& operator=(const ScriptedDaemon&) = delete;
    ~ScriptedDaemon();

    [[nodiscard]] client::Endpoint endpoint() const {
        return client::TcpEndpoint{.host = "127.0.0.1", .port = listener_.port()};
    }
    /// Returns all requests received, except for Hellos answered without `handler`.
    [[nodiscard]] std::vector<v1::Request> requests() const;
    /// Returns the number of connections so far.
    [[nodiscard]] std::size_t connections() const;
    /// Waits until a request of this kind has been answered.
    void wait_for(v1::Request::RequestCase kind) const;

 private:
    void add(os::UniqueFd client);
    void serve(int connection);
    Reply answer(const v1::Request& request);

    Handler handler_;
    bool answers_hello_;
    std::string greeting_;

    mutable std::mutex mutex_;  ///< guards the following members and calls of handler_
    mutable std::condition_variable answered_;
    std::vector<v1::Request> requests_;
    std::list<os::UniqueFd> connections_;
    std::vector<std::thread> sessions_;
    LoopbackListener listener_{[this](os::UniqueFd client) { add(std::move(client)); }};
};

}  // namespace rta::test
