// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/scripted_daemon.h"

namespace rta::test {

/// Answers the requests of a subscription as the test decides, one connection after the other.
class ScriptedState {
 public:
    /// One connection.
    struct Session {
        std::string instance_id = "one";
        std::uint64_t subscribed_at = 0;  ///< SubscribeResult.change_number
        std::uint64_t graph_at = 0;       ///< GraphResult.change_number
        /// Sent after Subscribe: the events of a session that needs no graph.
        std::vector<v1::Event> after_subscribe{};
        /// Sent after GetStatus, which ends a Resync.
        std::vector<v1::Event> after_resync{};
        bool close_at_end = false;  ///< disconnects after the last events
        v1::Code refuse = v1::OK;   ///< refuses Hello with this code
    };

    explicit ScriptedState(std::vector<Session> sessions) : sessions_{std::move(sessions)} {}

    Reply operator()(const v1::Request& request) {
        if (request.has_hello()) return hello(request);
        const Session& session = sessions_.at(current_);
        v1::Response response = ok(request);
        if (request.has_subscribe()) {
            response.mutable_subscribe()->set_instance_id(session.instance_id);
            response.mutable_subscribe()->set_change_number(session.subscribed_at);
            return {.bytes = frame(response) + frames(session.after_subscribe),
                    .close = session.close_at_end && !session.after_subscribe.empty()};
        }
        if (request.has_list_node_types()) response.mutable_list_node_types()->add_types()->set_name("gain");
        if (request.has_get_graph()) {
            response.mutable_get_graph()->mutable_graph()->add_nodes()->set_name("n" +
                                                                                 std::to_string(session.graph_at));
            response.mutable_get_graph()->set_change_number(session.graph_at);
        }
        if (!request.has_get_status()) return {.bytes = frame(response)};
        response.mutable_get_status()->set_instance_id(session.instance_id);
        return {.bytes = frame(response) + frames(session.after_resync), .close = session.close_at_end};
    }

 private:
    Reply hello(const v1::Request& request) {
        current_ = next_ < sessions_.size() ? next_++ : sessions_.size() - 1;
        const Session& session = sessions_[current_];
        if (session.refuse != v1::OK) return {.bytes = frame(refusal(request, session.refuse, "no")), .close = true};
        v1::Response response = ok(request);
        response.mutable_hello()->set_protocol_version(1);
        response.mutable_hello()->set_instance_id(session.instance_id);
        return {.bytes = frame(response)};
    }

    static std::string frames(const std::vector<v1::Event>& events) {
        std::string bytes;
        for (const v1::Event& event : events) bytes += frame(event);
        return bytes;
    }

    std::vector<Session> sessions_;
    std::size_t current_ = 0;
    std::size_t next_ = 0;
};

/// Returns how many requests of a kind the daemon has received.
[[nodiscard]] inline std::size_t count(const ScriptedDaemon& daemon, v1::Request::RequestCase kind) {
    std::size_t found = 0;
    for (const v1::Request& request : daemon.requests()) found += request.request_case() == kind ? 1U : 0U;
    return found;
}

}  // namespace rta::test
