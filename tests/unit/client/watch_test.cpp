// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): pthread_kill is POSIX

#include <algorithm>
#include <functional>
#include <future>
#include <memory>
#include <thread>

#include "fake_rtad.h"

namespace rta::test {
namespace {

using rtactl::Exit;

/// Answers Subscribe, followed by two events; then the daemon closes the connection or keeps it open.
FakeRtad::Override with_events(bool close) {
    return [close](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_subscribe()) return std::nullopt;
        v1::Response response = ok(request);
        response.mutable_subscribe()->set_change_number(2);
        return Reply{.bytes = frame(response) + frame(heard(3)) + frame(heard(4)), .close = close};
    };
}

TEST(Watch, PrintsOneLinePerEventAndReportsTheDisconnect) {
    FakeRtad rtad{with_events(true)};
    const Outcome outcome = rtad.run({"watch"});
    EXPECT_EQ(outcome.exit, Exit::cannot_connect);
    EXPECT_EQ(outcome.out, "3: revision 3 takes effect at frame 192\n4: revision 4 takes effect at frame 256\n");
    EXPECT_NE(outcome.err.find("disconnected from rtad"), std::string::npos) << outcome.err;
}

TEST(Watch, ATopicIsNotTheNameOfANode) {
    FakeRtad rtad;
    const Outcome outcome = rtad.run({"watch", "changes:all"});
    EXPECT_EQ(outcome.exit, Exit::refused);
    EXPECT_TRUE(has(outcome.err,
                    "invalid port \"changes:all\": the graph does not contain a node \"changes\"; for the topic, write "
                    "changes"))
        << outcome.err;
}

TEST(Watch, PrintsJsonLines) {
    FakeRtad rtad{with_events(true)};
    const Outcome outcome = rtad.run({"watch", "--json"});
    EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 4) << outcome.out;
    EXPECT_NE(outcome.out.find("{\"id\":\"0\",\"status\":{\"code\":\"UNAVAILABLE\""), std::string::npos)
        << "the end of the connection is an error: " << outcome.out;
    EXPECT_NE(outcome.out.find("\"change_number\":\"2\""), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find("{\"number\":\"3\",\"telemetry_number\":\"0\",\"telemetry_dropped\":\"0\",\"transaction_"
                               "heard\":{\"revision\":\"3\",\"frame\":\"192\"}}\n"),
              std::string::npos)
        << outcome.out;
}

TEST(Watch, EndsWellWhenInterrupted) {
    for (const int signal : {SIGINT, SIGTERM}) {
        FakeRtad rtad{with_events(false)};
        std::promise<Outcome> promise;
        auto outcome = promise.get_future();
        std::thread watcher{[&] { promise.set_value(rtad.run({"watch"})); }};
        // rtactl blocks the signals before it subscribes, so from here on they cannot terminate the test.
        rtad.daemon().wait_for(v1::Request::kSubscribe);
        ASSERT_EQ(::pthread_kill(watcher.native_handle(), signal), 0);
        EXPECT_EQ(outcome.get().exit, Exit::done);
        watcher.join();
    }
}

/// The first connection is lost after change 4; the next continues as `second` says.
FakeRtad::Override losing(std::function<Reply(v1::Response&)> second) {
    auto connection = std::make_shared<int>(0);
    return [second = std::move(second), connection](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_subscribe()) return std::nullopt;
        v1::Response response = ok(request);
        response.mutable_subscribe()->set_instance_id("one");
        if (++*connection > 1) return second(response);
        response.mutable_subscribe()->set_change_number(2);
        return Reply{.bytes = frame(response) + frame(heard(3)) + frame(heard(4)), .close = true};
    };
}

TEST(Watch, ResumesAfterALostConnection) {
    FakeRtad rtad{losing([](v1::Response& response) {
        response.mutable_subscribe()->set_change_number(4);
        response.mutable_subscribe()->set_resumed(true);
        return Reply{.bytes = frame(response) + frame(heard(5))};
    })};
    const Outcome outcome = rtad.run({"watch", "--count", "3"});
    EXPECT_EQ(outcome.exit, Exit::done);
    EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 3) << outcome.out;
    EXPECT_NE(outcome.err.find("; connecting again\nrtactl: warning: connected again\n"), std::string::npos)
        << outcome.err;
    const v1::Subscribe first = rtad.daemon().requests().front().subscribe();
    const v1::Subscribe second = rtad.daemon().requests().back().subscribe();
    EXPECT_FALSE(first.has_resume_after());
    EXPECT_EQ(second.resume_after(), 4U);
    EXPECT_EQ(second.resume_instance(), "one");
}

TEST(Watch, SaysWhichChangesWereMissed) {
    FakeRtad rtad{losing([](v1::Response& response) {
        response.mutable_subscribe()->set_change_number(9);
        return Reply{.bytes = frame(response) + frame(heard(10))};
    })};
    const Outcome outcome = rtad.run({"watch", "--count", "3"});
    EXPECT_NE(outcome.err.find("connected again: the changes 5 to 9 were missed"), std::string::npos) << outcome.err;
}

TEST(Watch, SaysThatTheDaemonWasRestarted) {
    FakeRtad rtad{losing([](v1::Response& response) {
        response.mutable_subscribe()->set_instance_id("two");
        return Reply{.bytes = frame(response) + frame(heard(1))};
    })};
    const Outcome outcome = rtad.run({"watch", "--json", "--count", "3"});
    EXPECT_NE(outcome.err.find("connected again: rtad was restarted"), std::string::npos) << outcome.err;
    EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 5) << "two responses and three events: " << outcome.out;
}

TEST(Watch, AsksForTheChangesOfSomeNodes) {
    FakeRtad rtad{with_events(false)};
    EXPECT_EQ(rtad.run({"watch", "--nodes", "osc,vol", "--count", "1"}).exit, Exit::done);
    const v1::Subscribe request = rtad.daemon().requests().front().subscribe();
    EXPECT_EQ((std::vector<std::string>{request.nodes().begin(), request.nodes().end()}),
              (std::vector<std::string>{"osc", "vol"}));
}

TEST(Watch, InTheShellLeavesItsConnectionAlone) {
    FakeRtad rtad{with_events(true)};
    const Outcome outcome = rtad.run({"shell"}, "status\nwatch\n");
    EXPECT_EQ(outcome.exit, Exit::cannot_connect);
    EXPECT_EQ(rtad.daemon().connections(), 2U);
}

}  // namespace
}  // namespace rta::test
