// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): pthread_kill is POSIX

#include <future>
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

TEST(Watch, InTheShellLeavesItsConnectionAlone) {
    FakeRtad rtad{with_events(true)};
    const Outcome outcome = rtad.run({"shell"}, "status\nwatch\n");
    EXPECT_EQ(outcome.exit, Exit::cannot_connect);
    EXPECT_EQ(rtad.daemon().connections(), 2U);
}

}  // namespace
}  // namespace rta::test
