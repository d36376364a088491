// SPDX-License-Identifier: MIT
// A daemon that does not follow the protocol, or sends more than it should.
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "rta/daemon_client.h"
#include "support/deadline.h"
#include "support/scripted_daemon.h"

namespace rta::client {
namespace {

using test::frame;
using test::heard;
using test::ok;
using test::Reply;
using test::ScriptedDaemon;

Expected<DaemonClient> connect_to(const ScriptedDaemon& daemon) {
    const Endpoint endpoint = daemon.endpoint();
    return DaemonClient::open(std::span{&endpoint, 1}, {.client_name = "test", .timeout = test::kPatience});
}

v1::Request get_status() {
    v1::Request request;
    request.mutable_get_status();
    return request;
}

bool mentions(const Error& error, std::string_view part) { return error.sentence.find(part) != std::string::npos; }

/// Sends events until the client leaves; no event is the last.
struct EndlessEvents {
    explicit EndlessEvents(const v1::Event& event) {
        while (bytes.size() < (std::size_t{4} << 20U)) bytes += frame(event);
    }
    Reply operator()(const v1::Request& request) const {
        if (request.has_subscribe()) return {.bytes = frame(ok(request))};
        return {.bytes = bytes, .repeat = true};
    }
    std::string bytes{};
};

TEST(HostileDaemon, TimesOutHoweverManyEventsArrive) {
    ScriptedDaemon daemon{EndlessEvents{heard(1)}};
    auto client = connect_to(daemon);
    ASSERT_TRUE(client);
    client->set_timeout(std::chrono::milliseconds{200});
    const auto response = client->call(get_status());
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, Error::Kind::timeout);
}

TEST(HostileDaemon, DropsEventsThatAreNotReadAndSaysSo) {
    v1::Event large = heard(1);
    for (int i = 0; i < 1'000; ++i)
        large.mutable_graph_changed()->mutable_edits()->Add()->mutable_remove_node()->set_name("a node of the graph");
    const EndlessEvents endless{large};
    // Twice the limit, then the response.
    const std::string twice = [&] {
        std::string bytes;
        while (bytes.size() < 2 * DaemonClient::kMaximumEventBytes) bytes += endless.bytes;
        return bytes;
    }();
    ScriptedDaemon daemon{
        [&](const v1::Request& request) { return Reply{.bytes = twice + frame(ok(request)) + frame(heard(2))}; }};
    auto client = connect_to(daemon);
    ASSERT_TRUE(client);
    ASSERT_TRUE(client->call(get_status()));
    const auto missed = client->next_event(Deadline::in(test::kPatience));
    ASSERT_FALSE(missed);
    EXPECT_EQ(missed.error().kind, Error::Kind::missed);
    EXPECT_TRUE(mentions(missed.error(), "events from rtad at 127.0.0.1:")) << missed.error().sentence;
    EXPECT_TRUE(mentions(missed.error(), "were dropped: more than 16 MiB were unread")) << missed.error().sentence;
    std::size_t kept = 0;
    for (;;) {
        const auto event = client->next_event(Deadline::in(test::kPatience));
        ASSERT_TRUE(event) << event.error().sentence;
        if (event->number() == 2) break;
        kept += event->SpaceUsedLong();
    }
    EXPECT_LE(kept, DaemonClient::kMaximumEventBytes);
    EXPECT_GT(kept, DaemonClient::kMaximumEventBytes / 2);
    EXPECT_TRUE(client->call(get_status())) << "still connected";
}

TEST(HostileDaemon, RefusesAResponseOkWithoutItsResult) {
    ScriptedDaemon daemon{[](const v1::Request& request) {
        v1::Response response = ok(request);
        response.clear_result();
        return Reply{.bytes = frame(response)};
    }};
    auto client = connect_to(daemon);
    ASSERT_TRUE(client);
    const auto response = client->call(get_status());
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, Error::Kind::protocol);
    EXPECT_TRUE(mentions(response.error(), "responded OK to get_status without its result"))
        << response.error().sentence;
}

TEST(HostileDaemon, RefusesTheResultOfAnotherRequest) {
    ScriptedDaemon daemon{[](const v1::Request& request) {
        v1::Response response = ok(request);
        response.mutable_get_graph();
        return Reply{.bytes = frame(response)};
    }};
    auto client = connect_to(daemon);
    ASSERT_TRUE(client);
    const auto response = client->call(get_status());
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, Error::Kind::protocol);
}

}  // namespace
}  // namespace rta::client
