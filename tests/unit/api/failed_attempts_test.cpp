// SPDX-License-Identifier: MIT
#include "api/failed_attempts.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fake_access.h"
#include "script.h"

namespace rta::api::test {
namespace {

using std::chrono::milliseconds;

TEST(FailedAttempts, ABurstIsAllowedThenOneEachSecond) {
    AttemptLimiter limiter;
    TimePoint now{std::chrono::hours{1}};
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(limiter.exceeds("a", now)) << i;
    EXPECT_TRUE(limiter.exceeds("a", now));
    EXPECT_FALSE(limiter.exceeds("b", now)) << "another network";
    now += milliseconds{1001};
    EXPECT_FALSE(limiter.exceeds("a", now));
    EXPECT_TRUE(limiter.exceeds("a", now));
    now += std::chrono::hours{1};
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(limiter.exceeds("a", now)) << i;
    EXPECT_TRUE(limiter.exceeds("a", now));
}

TEST(FailedAttempts, UseBoundedMemoryAndForgetTheOldest) {
    AttemptLimiter limiter;
    TimePoint now{std::chrono::hours{1}};
    for (int i = 0; i < 11; ++i) static_cast<void>(limiter.exceeds("busy", now));
    for (std::size_t i = 0; i < 100'000; ++i) {
        now += std::chrono::microseconds{1};
        EXPECT_FALSE(limiter.exceeds("network " + std::to_string(i), now));
        EXPECT_TRUE(i % 500 != 0 || limiter.exceeds("busy", now)) << i;  // not the oldest
    }
    EXPECT_EQ(limiter.size(), AttemptLimiter::kMaximumNetworks);
}

/// One token, and a log of the attempts.
struct Rig {
    Rig() {
        tokens.add("desk", Role::control);
        script.daemon.tokens = &tokens;
        script.dispatcher.on_failed_attempt([this](const std::string& address, const Error& reason) {
            log.push_back(address + ": " + reason.sentence);
        });
    }
    Client& attempt(char client, const std::string& token, const std::string& address = "192.0.2.7:50000") {
        Client& connected = script.connect(client, {.door = Entry::Door::tls, .address = address});
        script.send(client, request("id: 1 hello { protocol_version: 1 token: \"" + token + "\" }"));
        return connected;
    }

    FakeAccess tokens;
    Script script;
    std::vector<std::string> log;
};

TEST(FailedAttempts, TooManyAreAnsweredLateAndLockNobodyOut) {
    Rig rig;
    const std::string wrong = secret_of("wrong");
    for (int i = 0; i < 10; ++i) {
        rig.attempt('a', wrong);
        rig.script.play("a< response { id: 1 status { code: UNAUTHENTICATED } }");
        rig.script.disconnect('a');
    }
    const Client& late = rig.attempt('b', wrong);
    EXPECT_TRUE(late.refused());
    EXPECT_FALSE(late.wants_more());
    EXPECT_EQ(rig.script.dispatcher.client_count(), 0U) << "it holds a place";
    rig.script.play("b-");
    EXPECT_LE(rig.script.dispatcher.interval(), milliseconds{20});

    // From the same address, a valid token is accepted without a delay; so is a wrong one from another address.
    rig.attempt('c', secret_of("desk"));
    rig.script.play(R"(c< response { id: 1 hello { role: "control" author: "desk" } })");
    rig.attempt('d', wrong, "192.0.2.8:50000");
    rig.script.play("d< response { id: 1 status { code: UNAUTHENTICATED } }");

    rig.script.tick(FailedAttempts::kDelay - milliseconds{1});
    rig.script.play("b-");
    rig.script.tick(milliseconds{1});
    rig.script.play(R"(
        b< response { id: 1 status { code: UNAUTHENTICATED } }
        b-
    )");
}

TEST(FailedAttempts, AClientThatLeavesBeforeItsLateAnswerIsForgotten) {
    Rig rig;
    for (int i = 0; i < 11; ++i) {
        rig.attempt('a', secret_of("wrong"));
        rig.script.disconnect('a');
    }
    rig.script.tick(FailedAttempts::kDelay);
    EXPECT_GT(rig.script.dispatcher.interval(), milliseconds{20});
}

TEST(FailedAttempts, AreReportedWithTheAddressAndWithoutTheToken) {
    Rig rig;
    rig.attempt('a', secret_of("wrong"));
    rig.attempt('b', "hunter2", "192.0.2.8:1");
    rig.attempt('c', "", "[2001:db8::1]:2");
    rig.attempt('d', secret_of("desk"));
    ASSERT_EQ(rig.log.size(), 3U);
    EXPECT_TRUE(rig.log[0].starts_with("192.0.2.7:50000: unknown access token"));
    EXPECT_TRUE(rig.log[1].starts_with("192.0.2.8:1: unknown access token"));
    EXPECT_TRUE(rig.log[2].starts_with("[2001:db8::1]:2: an access token is required"));
    for (const std::string& line : rig.log) {
        EXPECT_EQ(line.find("rtad_"), std::string::npos) << line;
        EXPECT_EQ(line.find("hunter2"), std::string::npos) << line;
    }
}

}  // namespace
}  // namespace rta::api::test
