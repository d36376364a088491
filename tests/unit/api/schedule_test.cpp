// SPDX-License-Identifier: MIT
// GetTime, and edits with `at`: acceptance, bounds, cancellation, and what clients are told.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "fake_access.h"
#include "script.h"

namespace rta::api::test {
namespace {

constexpr std::uint64_t kBlock = 64;
constexpr const char* kSubscribe =
    "a> id: 90 subscribe { topics: TOPIC_CHANGES }\na< response { id: 90 subscribe { } }\n";

/// Frame 0 was at 2026-12-01T20:15:00 UTC; the test's clock drives UTC, too.
class ScheduleTest : public ::testing::Test {
 protected:
    ScheduleTest() { script.play("hello a\n" + tone()); }

    v1::Response call(const std::string& text, char client = 'a') {
        script.send(client, request(text));
        return answer(client);
    }
    v1::Response answer(char client = 'a') {
        while (auto message = script.receive(client)) {
            if (message->has_response()) return message->response();
            events.push_back(message->event());
        }
        ADD_FAILURE() << "no response";
        return {};
    }
    void read_events(char client = 'a') {
        while (auto message = script.receive(client)) {
            if (message->has_event()) events.push_back(message->event());
        }
    }
    /// Renders blocks in real time, as a device does.
    void play_to(std::uint64_t frame) {
        while (script.engine.renderer().frames() < frame) {
            script.render_block();
            elapsed_ns += kBlock * 1'000'000'000 / 48'000;
            script.now += std::chrono::nanoseconds{kBlock * 1'000'000'000 / 48'000};
            script.tick({});
        }
    }
    [[nodiscard]] std::uint64_t frame() const { return script.engine.renderer().frames(); }
    std::vector<v1::PendingChanged> pending_events() {
        read_events();
        std::vector<v1::PendingChanged> found;
        for (const v1::Event& event : events) {
            if (event.has_pending_changed()) found.push_back(event.pending_changed());
        }
        return found;
    }
    /// Returns by how many frames each edit was late, by its id. None has failed.
    std::map<std::uint64_t, std::uint64_t> late_frames() {
        std::map<std::uint64_t, std::uint64_t> late;
        for (const v1::PendingChanged& changed : pending_events()) {
            EXPECT_NE(changed.what(), v1::PendingChanged::FAILED) << changed.ShortDebugString();
            if (changed.what() != v1::PendingChanged::ADDED) late[changed.edit().id()] = changed.late_frames();
        }
        return late;
    }
    std::string set_at(std::uint64_t at, const std::string& value = "-6") {
        return "id: 2 set_parameters { changes { node: \"vol\" parameter: \"gain_db\" value: " + value +
               " } at { frame: " + std::to_string(at) + " } }";
    }

    [[nodiscard]] float gain_db() const {
        const AudioGraph& graph = script.engine.graph();
        const auto place = graph.find_parameter("vol", "gain_db");
        return place ? graph.find(place->node)->parameters[place->index] : -1000.0F;
    }

    Script script;
    std::vector<v1::Event> events;
    std::uint64_t elapsed_ns = 0;
};

TEST_F(ScheduleTest, ParametersTakeEffectAtTheirFrameAndEveryClientIsTold) {
    script.play(kSubscribe);
    const std::uint64_t at = frame() + 100 * kBlock + 17;
    const v1::Response response = call(set_at(at));
    ASSERT_EQ(response.status().code(), v1::OK) << response.status().message();
    const v1::PendingEdit& edit = response.set_parameters().pending();
    EXPECT_EQ(edit.id(), 1U);
    EXPECT_EQ(edit.frame(), at);
    EXPECT_EQ(edit.client_name(), "a");
    EXPECT_EQ(edit.summary(), "set vol.gain_db = -6");
    EXPECT_FALSE(response.set_parameters().has_frame());
    EXPECT_EQ(call("id: 3 list_pending { }").list_pending().edits_size(), 1);
    play_to(at - 50 * kBlock);
    EXPECT_EQ(gain_db(), 0.0F) << "nothing changes before";
    play_to(at + 2 * kBlock);
    const auto changes = pending_events();
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes[0].what(), v1::PendingChanged::ADDED);
    EXPECT_EQ(changes[1].what(), v1::PendingChanged::COMMITTED);
    EXPECT_EQ(changes[1].edit().id(), 1U);
    EXPECT_EQ(gain_db(), -6.0F);
    EXPECT_EQ(call("id: 4 list_pending { }").list_pending().edits_size(), 0);
}

TEST_F(ScheduleTest, ATransactionTakesEffectInTheBlockOfItsFrame) {
    script.play(kSubscribe);
    const std::uint64_t at = frame() + 60 * kBlock + 17;
    const v1::Response response =
        call("id: 2 apply_transaction { wait_for_start: true at { frame: " + std::to_string(at) +
             " } edits { edits { disconnect { from: \"vol\" to: \"out\" } } } }");
    ASSERT_EQ(response.status().code(), v1::OK) << response.status().message();
    EXPECT_EQ(response.apply_transaction().pending().summary(), "disconnect vol -> out");
    EXPECT_EQ(response.apply_transaction().revision(), 0U);
    play_to(at - 30 * kBlock);
    EXPECT_EQ(script.engine.revision(), 1U);
    play_to(at + 2 * kBlock);
    const auto changes = pending_events();
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes[1].what(), v1::PendingChanged::COMMITTED) << changes[1].ShortDebugString();
    EXPECT_EQ(changes[1].revision(), 2U);
    const auto heard = std::ranges::find_if(events, &v1::Event::has_transaction_heard);
    ASSERT_NE(heard, events.end());
    EXPECT_EQ(heard->transaction_heard().frame(), at / kBlock * kBlock);
    const auto changed = std::ranges::find_if(events, &v1::Event::has_graph_changed);
    EXPECT_EQ(changed->graph_changed().client_name(), "a");
}

TEST_F(ScheduleTest, LookAheadIsFilledBeforeTheFrame) {
    script.play(kSubscribe);
    const std::uint64_t at = frame() + 1000 * kBlock + 17;
    const v1::Response response = call(
        "id: 2 apply_transaction { at { frame: " + std::to_string(at) +
        " } edits { edits { add_node { name: \"lim\" type: \"limiter\" } } edits { disconnect { from: \"vol\" to: "
        "\"out\" } } edits { connect { from: \"vol\" to: \"lim\" } } edits { connect { from: \"lim\" to: \"out\" } } } }");
    ASSERT_EQ(response.status().code(), v1::OK) << response.status().message();
    EXPECT_EQ(response.apply_transaction().pending().summary(),
              "add lim; connect vol -> lim and lim -> out; disconnect vol -> out");
    play_to(at + 2 * kBlock);
    const auto changes = pending_events();
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes[1].what(), v1::PendingChanged::COMMITTED) << changes[1].ShortDebugString();
}

TEST_F(ScheduleTest, AnotherEditOfTheSameInputIsNotHeldBackUntilTheFrame) {
    script.play("hello b\n");
    script.play(kSubscribe);
    script.send(
        'b', request("id: 2 apply_transaction { edits { edits { add_node { name: \"c\" type: \"constant\" } } edits { "
                     "connect { from: \"c\" to: \"out\" } } } }"));
    ASSERT_EQ(answer('b').status().code(), v1::OK);
    play_to(frame() + kBlock);  // its round runs while the edit is prepared
    const std::uint64_t at = frame() + 125 * kBlock;
    ASSERT_EQ(call("id: 2 apply_transaction { at { frame: " + std::to_string(at) +
                   " } edits { edits { disconnect { from: \"vol\" to: \"out\" } } } }")
                  .status()
                  .code(),
              v1::OK);
    play_to(at - 50 * kBlock);
    const std::uint64_t begin = frame();
    script.send('b',
                request("id: 3 apply_transaction { wait_for_start: true edits { edits { disconnect { from: \"c\" to: "
                        "\"out\" } } } }"));
    play_to(at + 20 * kBlock);
    const v1::Response response = answer('b');
    ASSERT_EQ(response.status().code(), v1::OK) << response.status().message();
    EXPECT_LE(response.apply_transaction().frame(), begin + kBlock);
    EXPECT_EQ(pending_events().back().what(), v1::PendingChanged::COMMITTED);
}

TEST_F(ScheduleTest, LookAheadThatFillsDoesNotHoldBackAnEarlierEdit) {
    script.play(kSubscribe);
    const std::uint64_t first = frame() + 500 * kBlock;
    const std::uint64_t second = first + 30 * kBlock;  // filled within 40 ms
    ASSERT_EQ(
        call("id: 2 apply_transaction { at { frame: " + std::to_string(second) +
             " } edits { edits { add_node { name: \"lim\" type: \"limiter\" } } edits { connect { from: \"osc\" to: "
             "\"lim\" } } edits { connect { from: \"lim\" to: \"out\" } } } }")
            .status()
            .code(),
        v1::OK);
    ASSERT_EQ(call("id: 3 apply_transaction { at { frame: " + std::to_string(first) +
                   " } edits { edits { disconnect { from: \"vol\" to: \"out\" } } } }")
                  .status()
                  .code(),
              v1::OK);
    play_to(second + 20 * kBlock);
    EXPECT_EQ(late_frames(), (std::map<std::uint64_t, std::uint64_t>{{1, 0}, {2, 0}}));
}

TEST_F(ScheduleTest, LookAheadThatFillsDoesNotWaitForAnEarlierEditOfAnotherInput) {
    script.play(kSubscribe);
    ASSERT_EQ(call("id: 2 apply_transaction { edits { edits { add_node { name: \"side\" type: \"output\" } } } }")
                  .status()
                  .code(),
              v1::OK);
    const std::uint64_t first = frame() + 500 * kBlock;
    const std::uint64_t second = first + 8 * kBlock;  // a round later; filling takes longer
    ASSERT_EQ(call("id: 3 apply_transaction { at { frame: " + std::to_string(first) +
                   " } edits { edits { disconnect { from: \"vol\" to: \"out\" } } } }")
                  .status()
                  .code(),
              v1::OK);
    ASSERT_EQ(
        call(
            "id: 4 apply_transaction { at { frame: " + std::to_string(second) +
            " } edits { edits { add_node { name: \"lim\" type: \"limiter\" settings { fields { key: \"look_ahead_ms\" value { number_value: 20 } } } } } edits { connect { from: \"osc\" to: "
            "\"lim\" } } edits { connect { from: \"lim\" to: \"side\" } } } }")
            .status()
            .code(),
        v1::OK);
    play_to(second + 40 * kBlock);
    EXPECT_EQ(late_frames(), (std::map<std::uint64_t, std::uint64_t>{{1, 0}, {2, 0}}));
}

TEST_F(ScheduleTest, WhatDoesNotApplyNowIsRefusedAtOnce) {
    const std::string at = " at { in_s: 1 } ";
    const auto code = [&](const std::string& text) { return call(text).status().code(); };
    EXPECT_EQ(code("id: 2 set_parameters { changes { node: \"no\" parameter: \"x\" value: 1 }" + at + "}"),
              v1::NOT_FOUND);
    EXPECT_EQ(code("id: 2 apply_transaction { edits { edits { remove_node { name: \"no\" } } }" + at + "}"),
              v1::NOT_FOUND);
    EXPECT_EQ(code("id: 2 apply_transaction { edits { edits { connect { from: \"vol\" to: \"vol\" } } }" + at + "}"),
              v1::FAILED_PRECONDITION);
    EXPECT_EQ(code("id: 2 apply_transaction { document: \"{\"" + at + "}"), v1::INVALID_ARGUMENT);
    EXPECT_EQ(call("id: 3 list_pending { }").list_pending().edits_size(), 0);
    EXPECT_EQ(script.engine.revision(), 1U);
}

TEST_F(ScheduleTest, WhatNoLongerAppliesFailsAndChangesNothing) {
    script.play(kSubscribe);
    const std::uint64_t at = frame() + 60 * kBlock;
    ASSERT_EQ(call(set_at(at)).status().code(), v1::OK);
    ASSERT_EQ(call("id: 2 apply_transaction { at { frame: " + std::to_string(at) +
                   " } edits { edits { rename_node { name: \"vol\" new_name: \"volume\" } } } }")
                  .status()
                  .code(),
              v1::OK);
    ASSERT_EQ(call("id: 3 apply_transaction { edits { edits { remove_node { name: \"vol\" } } } }").status().code(),
              v1::OK);
    play_to(at + 2 * kBlock);
    const auto changes = pending_events();
    ASSERT_EQ(changes.size(), 4U);
    for (std::size_t i = 2; i < 4; ++i) {
        EXPECT_EQ(changes[i].what(), v1::PendingChanged::FAILED);
        EXPECT_EQ(changes[i].error().code(), v1::NOT_FOUND);
        EXPECT_NE(changes[i].error().message().find("vol"), std::string::npos);
    }
    EXPECT_EQ(script.engine.revision(), 2U);
}

TEST_F(ScheduleTest, ATimeMustBeAheadByAtMostADay) {
    play_to(100 * kBlock);
    const auto refused = [&](const std::string& at) {
        const v1::Response response =
            call("id: 2 set_parameters { changes { node: \"vol\" parameter: \"mute\" value: 1 } at { " + at + " } }");
        EXPECT_EQ(response.status().code(), v1::INVALID_ARGUMENT) << at;
        return response.status().message();
    };
    EXPECT_EQ(refused(""), "`at` has no time: expected frame, in_s or utc_us");
    EXPECT_EQ(
        refused("frame: 4000"),
        "the time of the edit has passed: it is 0.05 s late; frame 6400 is now; expected a later time, up to 24 h ahead");
    EXPECT_NE(refused("utc_us: " + std::to_string(script.daemon.utc_us() - 2'000'000)).find("it is 2 s late"),
              std::string::npos);
    for (const char* const in_s : {"in_s: -1", "in_s: nan"})
        EXPECT_EQ(refused(in_s), "at.in_s is invalid: expected 0 to 86400");
    for (const char* const later :
         {"in_s: 86400.0001", "in_s: 86401", "in_s: inf", "frame: 18446744073709551615", "utc_us: 9223372036854775807"})
        EXPECT_EQ(refused(later), "the time of the edit is more than 86400 s (24 h) ahead: expected an earlier time")
            << later;
    EXPECT_EQ(call("id: 3 set_parameters { changes { node: \"vol\" parameter: \"mute\" value: 1 } at { in_s: 86400 } }")
                  .set_parameters()
                  .pending()
                  .frame(),
              6400U + 86'400U * 48'000U);
}

TEST_F(ScheduleTest, AnEditCanBeCancelledByAnotherClientUntilItIsSent) {
    script.play("hello b\n");
    script.play(kSubscribe);
    const std::uint64_t at = frame() + 60 * kBlock;
    ASSERT_EQ(call(set_at(at)).status().code(), v1::OK);
    const v1::Response cancelled = call("id: 2 cancel_pending { id: 1 }", 'b');
    EXPECT_EQ(cancelled.cancel_pending().edit().summary(), "set vol.gain_db = -6");
    EXPECT_EQ(call("id: 3 cancel_pending { id: 1 }", 'b').status().code(), v1::NOT_FOUND);
    ASSERT_EQ(call(set_at(at)).set_parameters().pending().id(), 2U) << "ids are not used again";
    play_to(at - kBlock);
    EXPECT_EQ(call("id: 4 cancel_pending { id: 2 }", 'b').status().code(), v1::NOT_FOUND) << "it has been sent";
    play_to(at + kBlock);
    EXPECT_EQ(gain_db(), -6.0F);
    const auto changes = pending_events();
    ASSERT_EQ(changes.size(), 4U);
    EXPECT_EQ(changes[1].what(), v1::PendingChanged::CANCELLED);
    EXPECT_EQ(changes[3].what(), v1::PendingChanged::COMMITTED);
}

TEST_F(ScheduleTest, AnEditOutlivesItsClient) {
    script.play("hello b\n");
    const std::uint64_t at = frame() + 60 * kBlock;
    ASSERT_EQ(call(set_at(at), 'b').status().code(), v1::OK);
    script.disconnect('b');
    play_to(at + kBlock);
    EXPECT_EQ(gain_db(), -6.0F);
}

TEST_F(ScheduleTest, AnEditDoesNotOutliveTheTokenOfItsAuthor) {
    FakeAccess access;
    access.add("desk", Role::control);
    script.daemon.tokens = &access;
    script.connect('c', {.door = Entry::Door::tls});
    script.send('c',
                request("id: 1 hello { protocol_version: 1 client_name: \"c\" token: \"" + secret_of("desk") + "\" }"));
    ASSERT_EQ(answer('c').hello().author(), "desk");
    script.play(kSubscribe);
    const std::uint64_t at = frame() + 60 * kBlock;
    ASSERT_EQ(call(set_at(at), 'c').status().code(), v1::OK);
    access.tokens.clear();
    play_to(at + kBlock);
    EXPECT_EQ(gain_db(), 0.0F);
    EXPECT_EQ(pending_events().back().what(), v1::PendingChanged::FAILED);
    EXPECT_EQ(pending_events().back().error().code(), v1::UNAUTHENTICATED);
}

TEST_F(ScheduleTest, WhatComesTooLateIsReportedWithItsDelay) {
    script.play(kSubscribe);
    const std::uint64_t at = frame() + kBlock;
    ASSERT_EQ(call(set_at(at)).status().code(), v1::OK);
    for (int i = 0; i < 10; ++i) script.render_block();  // without a chance to send it
    play_to(at + 20 * kBlock);
    const auto changes = pending_events();
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes[1].what(), v1::PendingChanged::LATE);
    EXPECT_EQ(changes[1].late_frames(), 10 * kBlock);
    EXPECT_EQ(gain_db(), -6.0F);
}

TEST_F(ScheduleTest, AUtcTimeFollowsTheClock) {
    script.daemon.utc = 1'796'156'100'000'000;
    const v1::Response response = call(
        "id: 2 set_parameters { changes { node: \"vol\" parameter: \"mute\" value: 1 } at { utc_us: 1796156110000000 } }");
    EXPECT_EQ(response.set_parameters().pending().frame(), frame() + 480'000);
    script.daemon.utc += 1'000'000;  // the clock of the machine was set
    const v1::Response list = call("id: 3 list_pending { }");
    EXPECT_EQ(list.list_pending().edits(0).frame(), frame() + 432'000);
    EXPECT_EQ(list.list_pending().edits(0).utc_us(), 1'796'156'110'000'000);
}

TEST_F(ScheduleTest, AClockThatIsSetMovesTheFrame) {
    script.daemon.utc = 1'796'156'100'000'000;
    constexpr std::int64_t kHour = 3'600'000'000;
    constexpr std::uint64_t kHourFrames = 3'600 * 48'000;
    script.play(kSubscribe);
    const std::string set = "set_parameters { changes { node: \"vol\" parameter: \"gain_db\" value: -6 } ";
    ASSERT_EQ(call("id: 2 " + set + "at { utc_us: 1796156110000000 } }").status().code(), v1::OK);
    ASSERT_EQ(
        call("id: 3 set_parameters { changes { node: \"osc\" parameter: \"gain_db\" value: -30 } at { in_s: 20 } }")
            .status()
            .code(),
        v1::OK);
    const v1::PendingResult before = call("id: 4 list_pending { }").list_pending();
    script.daemon.utc -= kHour;
    const v1::PendingResult later = call("id: 5 list_pending { }").list_pending();
    EXPECT_EQ(later.edits(1).frame(), before.edits(0).frame() + kHourFrames);
    EXPECT_EQ(later.edits(0).frame(), before.edits(1).frame()) << "what is not given in UTC does not move";
    script.daemon.utc += 2 * kHour;
    play_to(frame() + 10 * kBlock);
    EXPECT_EQ(gain_db(), -6.0F) << "its time has passed";
    EXPECT_EQ(pending_events().back().what(), v1::PendingChanged::LATE);
    EXPECT_EQ(call("id: 6 list_pending { }").list_pending().edits_size(), 1);
}

/// A thread may be interrupted between reading two clocks.
TEST(FrameTime, AnInterruptionDoesNotShiftTheClocksAgainstEachOther) {
    const Engine engine{builtin_nodes(), EngineConfig{}};
    FakeDaemon daemon;
    const std::int64_t begin_us = daemon.utc;
    std::int64_t now_us = 0;
    int reads = 0;
    FrameTime time{engine, daemon, [&] {
                       const TimePoint now{std::chrono::microseconds{++now_us}};
                       if (reads++ == 0) now_us += 5'000;
                       daemon.utc = begin_us + now_us;
                       return now;
                   }};
    const FrameTime::Now now = time.now();
    EXPECT_NEAR(static_cast<double>(now.utc_us - begin_us), static_cast<double>(now.monotonic_ns) / 1e3, 5.0);
}

TEST_F(ScheduleTest, TheNumberOfEditsIsLimited) {
    const std::string set =
        "id: 2 set_parameters { changes { node: \"vol\" parameter: \"mute\" value: 1 } at { in_s: 100 } }";
    for (int i = 0; i < 500; ++i) ASSERT_EQ(call(set).status().code(), v1::OK);
    const v1::Response refused = call(set);
    EXPECT_EQ(refused.status().code(), v1::RESOURCE_EXHAUSTED);
    EXPECT_NE(refused.status().message().find("500 edits"), std::string::npos);
    script.connect('d', {.door = Entry::Door::loopback});
    script.send('d', request("id: 1 hello { protocol_version: 1 client_name: \"d\" }"));
    ASSERT_EQ(answer('d').hello().author(), "loopback");
    for (int i = 0; i < 500; ++i) ASSERT_EQ(call(set, 'd').status().code(), v1::OK);
    script.connect('e', {.door = Entry::Door::unix_socket, .user_id = 1000});
    script.send('e', request("id: 1 hello { protocol_version: 1 client_name: \"e\" }"));
    ASSERT_EQ(answer('e').status().code(), v1::OK);
    EXPECT_NE(call(set, 'e').status().message().find("1000 edits"), std::string::npos);
    EXPECT_EQ(call("id: 3 list_pending { }").list_pending().edits_size(), 1000);
    ASSERT_EQ(call("id: 4 cancel_pending { id: 1 }").status().code(), v1::OK);
    EXPECT_EQ(call(set).status().code(), v1::OK);
}

TEST_F(ScheduleTest, EditsOfOneFrameTakeEffectInTheirOrder) {
    const std::uint64_t at = frame() + 60 * kBlock;
    ASSERT_EQ(call("id: 2 apply_transaction { at { frame: " + std::to_string(at) +
                   " } edits { edits { rename_node { name: \"vol\" new_name: \"one\" } } } }")
                  .status()
                  .code(),
              v1::OK);
    for (const char* const name : {"one", "two"})
        ASSERT_EQ(call(set_at(at + 1, name == std::string{"one"} ? "-3" : "-4")).status().code(), v1::OK);
    play_to(at + 10 * kBlock);
    EXPECT_EQ(script.engine.graph().find_parameter("vol", "gain_db").error().code, ErrorCode::not_found);
}

TEST_F(ScheduleTest, FurtherChangesOfOneParameterInABlockStartWithTheNextBlocks) {
    script.play(kSubscribe);
    const std::uint64_t block = frame() + 100 * kBlock;
    for (const std::uint64_t offset : {3U, 5U, 9U})
        ASSERT_EQ(call(set_at(block + offset, "-" + std::to_string(offset))).status().code(), v1::OK);
    ASSERT_EQ(call("id: 2 set_parameters { changes { node: \"osc\" parameter: \"gain_db\" value: -30 } at { frame: " +
                   std::to_string(block + 11) + " } }")
                  .status()
                  .code(),
              v1::OK);
    play_to(block + 10 * kBlock);
    std::map<std::uint64_t, std::uint64_t> late;
    for (const v1::PendingChanged& changed : pending_events()) {
        if (changed.what() != v1::PendingChanged::ADDED) late[changed.edit().id()] = changed.late_frames();
    }
    EXPECT_EQ(late, (std::map<std::uint64_t, std::uint64_t>{{1, 0}, {2, kBlock - 5}, {3, 2 * kBlock - 9}, {4, 0}}));
    EXPECT_EQ(gain_db(), -9.0F);
}

TEST_F(ScheduleTest, ATransactionWithoutAudibleChangeTakesEffectAtItsFrame) {
    script.play(kSubscribe);
    const std::uint64_t at = frame() + 60 * kBlock + 17;
    ASSERT_EQ(call("id: 2 apply_transaction { at { frame: " + std::to_string(at) +
                   " } edits { edits { describe { node: \"vol\" title: \"Level\" } } } }")
                  .status()
                  .code(),
              v1::OK);
    play_to(at + 2 * kBlock);
    const auto changes = pending_events();
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes[1].what(), v1::PendingChanged::COMMITTED) << changes[1].ShortDebugString();
    const auto heard = std::ranges::find_if(events, &v1::Event::has_transaction_heard);
    ASSERT_NE(heard, events.end());
    EXPECT_EQ(heard->transaction_heard().frame(), at / kBlock * kBlock);
}

TEST_F(ScheduleTest, AChangeThatConflictsWithAScheduledOneHoldsUpNoOther) {
    script.play("hello b\nhello c\n");
    const std::uint64_t at = frame() + 100 * kBlock;
    ASSERT_EQ(call(set_at(at)).status().code(), v1::OK);
    play_to(at - 3 * kBlock);  // it is on its way
    ASSERT_EQ(gain_db(), -6.0F);
    script.send('b', request("id: 2 set_parameters { changes { node: \"vol\" parameter: \"gain_db\" value: -9 } }"));
    script.send('c', request("id: 2 set_parameters { changes { node: \"osc\" parameter: \"gain_db\" value: -30 } }"));
    play_to(frame() + kBlock);
    EXPECT_EQ(answer('c').status().code(), v1::OK);
    EXPECT_EQ(gain_db(), -6.0F) << "the other waits for the scheduled one";
    play_to(at + 3 * kBlock);
    EXPECT_EQ(answer('b').status().code(), v1::OK);
    EXPECT_EQ(gain_db(), -9.0F);
}

TEST_F(ScheduleTest, WhatIsPreparedInTheMeantimeWakesTheDaemon) {
    int wakes = 0;
    script.dispatcher.on_busy([&] { ++wakes; });
    script.workers.held = true;
    script.send(
        'a', request("id: 2 apply_transaction { at { in_s: 1 } edits { edits { remove_node { name: \"vol\" } } } }"));
    script.workers.finish(0);  // of the request
    script.workers.finish(0);  // of the check
    ASSERT_EQ(answer().status().code(), v1::OK);
    script.tick({});
    ASSERT_EQ(script.workers.jobs.size(), 1U);
    const int before = wakes;
    script.workers.finish(0);
    EXPECT_EQ(wakes, before + 1);
    EXPECT_EQ(script.dispatcher.interval(), std::chrono::microseconds{50});
}

TEST_F(ScheduleTest, OnlySomeEditsAreKeptPrepared) {
    for (int i = 0; i < 20; ++i) {
        ASSERT_EQ(call("id: 2 apply_transaction { at { in_s: 1 } edits { edits { add_node { name: \"n" +
                       std::to_string(i) + "\" type: \"gain\" } } } }")
                      .status()
                      .code(),
                  v1::OK);
    }
    script.workers.held = true;
    std::size_t prepared = 0;
    for (int i = 0; i < 100; ++i) {
        script.tick(std::chrono::milliseconds{1});
        ASSERT_LE(script.workers.jobs.size(), 2U);
        if (script.workers.jobs.empty()) continue;
        script.workers.finish(0);
        ++prepared;
    }
    EXPECT_EQ(prepared, 16U);
    ASSERT_EQ(call("id: 2 cancel_pending { id: 1 }").status().code(), v1::OK);
    script.tick(std::chrono::milliseconds{100});
    EXPECT_EQ(std::ranges::count(script.workers.jobs, Workers::Lane::requests, &FakeWorkers::Job::lane), 1)
        << "the next one is prepared";
}

TEST_F(ScheduleTest, ACancelledTransactionHoldsNothingBack) {
    for (const bool cancels : {false, true}) {
        const std::uint64_t at = frame() + 12 * kBlock;
        const v1::Response later =
            call("id: 2 apply_transaction { at { frame: " + std::to_string(at) +
                 " } edits { edits { describe { node: \"vol\" title: \"" + (cancels ? "b" : "a") + "\" } } } }");
        ASSERT_EQ(later.status().code(), v1::OK);
        script.tick({});
        const std::uint64_t begin = frame();
        if (cancels) {
            const std::string id = std::to_string(later.apply_transaction().pending().id());
            ASSERT_EQ(call("id: 3 cancel_pending { id: " + id + " }").status().code(), v1::OK);
        }
        script.send('a', request(std::string{"id: 4 apply_transaction { wait_for_start: true edits { edits { "} +
                                 (cancels ? "connect" : "disconnect") + " { from: \"vol\" to: \"out\" } } } }"));
        play_to(at + 20 * kBlock);
        const v1::Response now = answer();
        ASSERT_EQ(now.status().code(), v1::OK) << now.status().message();
        if (cancels) {
            EXPECT_LE(now.apply_transaction().frame(), begin + kBlock);
        } else {
            EXPECT_EQ(now.apply_transaction().frame(), at) << "it would still run at the frame of the scheduled one";
        }
    }
}

TEST_F(ScheduleTest, TheTimeRelatesTheClocks) {
    script.daemon.utc = 1'796'156'100'000'000;
    play_to(64'000);
    const v1::TimeResult time = call("id: 2 get_time { }").get_time();
    EXPECT_EQ(time.frame(), 64'000U);
    EXPECT_EQ(time.monotonic_ns(), static_cast<std::uint64_t>(script.now.time_since_epoch().count()));
    EXPECT_EQ(time.utc_us(), 1'796'156'100'000'000);
    EXPECT_EQ(time.sample_rate_hz(), 48'000.0);
}

/// Scheduled transactions 40 ms apart, among transactions and parameter changes without a time, as fast as they are
/// committed: every scheduled one is on time, and the graph is that of a model.
TEST_F(ScheduleTest, AStormOfOtherEditsMakesNoneLate) {
    std::mt19937 random{13};  // NOLINT: the same storm every time
    std::map<std::string, bool> model;
    for (const char* const node : {"s0", "s1", "i0", "i1", "i2"}) {
        ASSERT_EQ(call("id: 2 apply_transaction { edits { edits { add_node { name: \"" + std::string{node} +
                       "\" type: \"constant\" } } } }")
                      .status()
                      .code(),
                  v1::OK);
        model[node] = false;
        play_to(frame() + 20 * kBlock);
    }
    script.play("hello b\n");
    script.play(kSubscribe);
    const auto toggle = [&](const std::string& node) {
        model[node] = !model[node];
        return std::string{"apply_transaction { edits { edits { "} + (model[node] ? "connect" : "disconnect") +
               " { from: \"" + node + "\" to: \"out\" } } } ";
    };
    const std::uint64_t begin = frame() + 48'000;
    constexpr std::uint64_t kEdits = 60;
    for (std::uint64_t i = 0; i < kEdits; ++i) {
        const std::uint64_t at = begin + i * 1'920 + random() % 64;
        while (frame() < at - 1'400) {
            const std::string id = "id: " + std::to_string(1000 + frame()) + " ";
            if (random() % 3 != 0) {
                const std::string node = "i" + std::to_string(random() % 3);
                script.send('b', request(id + toggle(node) + "}"));
            } else {
                script.send('b',
                            request(id + "set_parameters { changes { node: \"osc\" parameter: \"gain_db\" value: -" +
                                    std::to_string(random() % 60) + " } }"));
            }
            play_to(frame() + (1 + random() % 4) * kBlock);
            while (const auto message = script.receive('b'))
                ASSERT_EQ(message->response().status().code(), v1::OK) << message->ShortDebugString();
            read_events();
        }
        script.send(
            'a', request("id: 2 " + toggle(i % 2 == 0 ? "s0" : "s1") + " at { frame: " + std::to_string(at) + " } }"));
        ASSERT_EQ(answer().status().code(), v1::OK);
    }
    play_to(begin + kEdits * 1'920 + 48'000);
    std::size_t committed = 0;
    for (const v1::PendingChanged& changed : pending_events()) {
        EXPECT_NE(changed.what(), v1::PendingChanged::LATE) << changed.ShortDebugString();
        EXPECT_NE(changed.what(), v1::PendingChanged::FAILED) << changed.ShortDebugString();
        if (changed.what() == v1::PendingChanged::COMMITTED) ++committed;
    }
    EXPECT_EQ(committed, kEdits);
    for (const auto& [node, connected] : model) {
        const std::string from = node;
        const GraphDocument document = script.engine.graph().document();
        const bool found = std::ranges::any_of(document.connections, [&](const GraphDocument::Connection& connection) {
            return connection.from == from || connection.from == from + ":out";
        });
        EXPECT_EQ(found, connected) << node;
    }
}

}  // namespace
}  // namespace rta::api::test
