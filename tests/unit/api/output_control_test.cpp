// SPDX-License-Identifier: MIT
// Mute and panic: the requests, and what other clients receive.
#include <gtest/gtest.h>

#include <string>

#include "script.h"

namespace rta::api::test {
namespace {

/// Renders blocks of 64 frames: 15 of them are the fade of 20 ms.
void blocks(Script& script, int count) {
    for (int i = 0; i < count; ++i) script.block();
}

TEST(OutputControl, AMuteIsAnsweredWhereItBeginsAndToldToEverybody) {
    Script script;
    script.play(R"(
        hello a
        hello b
        block
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe { change_number: 0 } }
        a> id: 2 mute_output { muted: true }
        b< event { number: 1 output_muted { muted: true client_name: "a" } }
        a-
        block
        a< response { id: 2 mute_output { frame: 64 } }
        a> id: 3 get_status {}
        a< response { id: 3 get_status { engine { output_muted: true revision: 0 } } }
        a> id: 4 mute_output { muted: true }
        block
        a< response { id: 4 mute_output { frame: 128 } }
        b-
        b> id: 5 mute_output {}
        b< event { number: 2 output_muted { muted: false client_name: "b" } }
        block
        b< response { id: 5 mute_output { frame: 192 } }
    )");
    EXPECT_FALSE(script.engine.output_muted());
}

TEST(OutputControl, AMuteThatNoBlockHearsIsAnsweredWithoutItsFrame) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 mute_output { muted: true }
        tick 499
        a-
        tick 1
        a< response { id: 1 status { code: DEADLINE_EXCEEDED } mute_output {} }
    )");
    EXPECT_TRUE(script.engine.output_muted());
}

TEST(OutputControl, APanicIsAnsweredWhenEverythingIsFresh) {
    Script script;
    script.play(R"(
        hello a
        hello b
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe {} }
        a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "osc" type: "sine" } } } }
        block
        a< response { id: 1 apply_transaction { frame: 0 } }
        b< event { number: 1 graph_changed {} }
        b< event { number: 2 transaction_heard {} }
        a> id: 2 panic {}
        a> id: 3 get_status {}
        b< event { number: 3 output_muted { muted: true client_name: "a" } }
    )");
    blocks(script, 15);  // the fade
    script.play(R"(
        a-
        b-
        block
        a< response { id: 2 panic { frame: 1024 } }
        b< event { number: 4 panicked { frame: 1024 client_name: "a" } }
        a< response { id: 3 get_status { engine { output_muted: true revision: 1 node_count: 1 } } }
    )");
}

TEST(OutputControl, APanicOfAMutedOutputResetsAtOnceAndTellsNoMute) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 subscribe { topics: TOPIC_CHANGES }
        a< response { id: 1 subscribe {} }
        a> id: 2 mute_output { muted: true }
        a< event { number: 1 output_muted { muted: true } }
    )");
    blocks(script, 16);
    script.play(R"(
        a< response { id: 2 mute_output { frame: 0 } }
        a> id: 3 panic {}
        block
        block
        a< response { id: 3 panic {} }
        a< event { number: 2 panicked {} }
        a-
    )");
}

TEST(OutputControl, NobodyUnmutesInTheMiddleOfAPanic) {
    Script script;
    script.workers.held = true;
    script.play(R"(
        hello a
        hello b
        block
        a> id: 1 panic {}
        a> id: 2 mute_output { muted: false }
        b> id: 3 mute_output { muted: false }
    )");
    blocks(script, 30);
    EXPECT_TRUE(script.engine.output_silent()) << "the processors are not built yet";
    script.play("a-\nb-");
    script.workers.finish(0);
    script.block();
    script.block();
    script.play(R"(
        a< response { id: 1 panic { frame: 2048 } }
        a< response { id: 2 mute_output { frame: 2048 } }
        b< response { id: 3 mute_output { frame: 2048 } }
    )");
    EXPECT_FALSE(script.engine.output_muted());
}

TEST(OutputControl, WhatAClientAsksBehindItsPanicComesBehindIt) {
    Script script;
    script.workers.held = true;
    script.play(R"(
        hello a
        block
        a> id: 1 panic {}
        a> id: 2 apply_transaction { wait_for_start: true edits { edits { add_node { name: "osc" type: "sine" } } } }
    )");
    script.workers.finish(1);
    blocks(script, 30);
    EXPECT_EQ(script.engine.revision(), 0U);
    script.workers.finish(0);
    script.block();
    script.block();
    script.play(R"(
        a< response { id: 1 panic { frame: 2048 } }
        a< response { id: 2 apply_transaction { frame: 2048 } }
    )");
}

TEST(OutputControl, APanicWaitsForBlocksOnly500Ms) {
    Script script;
    script.play(R"(
        hello a
        hello b
        block
        a> id: 1 subscribe { topics: TOPIC_CHANGES }
        a< response { id: 1 subscribe {} }
        a> id: 2 panic {}
        a< event { number: 1 output_muted { muted: true } }
        tick 400
        block
        tick 400
        b> id: 3 timeout_ms: 50 mute_output {}
        a-
        tick 100
        a< response { id: 2 status { code: DEADLINE_EXCEEDED } panic {} }
        b< response { id: 3 status { code: RESOURCE_EXHAUSTED } }
    )");
    blocks(script, 20);
    script.play(R"(
        a< event { number: 2 panicked {} }
        a-
    )");
}

TEST(OutputControl, APanicOutlivesWhoAskedForIt) {
    Script script;
    script.play(R"(
        hello a
        hello b
        block
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe {} }
        a> id: 2 panic {}
        b< event { number: 1 output_muted { muted: true client_name: "a" } }
    )");
    script.disconnect('a');
    blocks(script, 20);
    script.play(R"(b< event { number: 2 panicked { client_name: "a" } })");
}

TEST(OutputControl, TheVolumeIsAnsweredWhereItBeginsAndToldToEverybody) {
    Script script;
    script.play(R"(
        hello a
        hello b
        block
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe { change_number: 0 } }
        a> id: 2 set_volume { volume_db: -6 }
        b< event { number: 1 output_volume_changed { volume_db: -6 client_name: "a" } }
        a-
        block
        a< response { id: 2 set_volume { frame: 64 volume_db: -6 } }
        a> id: 3 set_volume { add_db: -0.1 }
        b> id: 4 set_volume { add_db: -0.1 }
        a> id: 5 set_volume { add_db: -0.1 }
        b< event { number: 2 output_volume_changed { volume_db: -6.1 client_name: "a" } }
        b< event { number: 3 output_volume_changed { volume_db: -6.2 client_name: "b" } }
        b< event { number: 4 output_volume_changed { volume_db: -6.3 client_name: "a" } }
        block
        a< response { id: 3 set_volume { frame: 128 volume_db: -6.1 } }
        a< response { id: 5 set_volume { frame: 128 volume_db: -6.3 } }
        b< response { id: 4 set_volume { frame: 128 volume_db: -6.2 } }
        a> id: 6 set_volume { volume_db: -6.3 }
        a> id: 7 get_status {}
        block
        a< response { id: 6 set_volume { frame: 192 volume_db: -6.3 } }
        a< response { id: 7 get_status { engine { output_volume_db: -6.3 output_muted: false } } }
        b-
    )");
}

TEST(OutputControl, AVolumeOutOfRangeIsRefusedWithTheResult) {
    Script script;
    script.play(R"(
        hello a
        block
        a> id: 1 set_volume { volume_db: 12 }
        block
        a< response { id: 1 set_volume { volume_db: 12 } }
    )");
    for (const char* const change : {"", "volume_db: 12.001", "volume_db: -120.01", "volume_db: nan", "add_db: 0.1",
                                     "add_db: -132.1", "add_db: inf", "add_db: nan"}) {
        script.send('a', request(std::string{"id: 2 set_volume { "} + change + " }"));
        const auto refused = script.receive('a');
        ASSERT_TRUE(refused) << change;
        EXPECT_EQ(refused->response().status().code(), v1::INVALID_ARGUMENT) << change;
    }
    EXPECT_EQ(script.engine.output_volume_db(), 12.0F);
    script.send('a', request("id: 3 set_volume { add_db: 0.5 }"));
    EXPECT_EQ(sentence(script.receive('a')),
              "the volume is 12 dB: 0.5 dB more would be 12.5 dB, which is out of range: -120 (silence) to 12 dB");
    script.play(R"(
        a> id: 4 set_volume { add_db: -132 }
        block
        a< response { id: 4 set_volume { volume_db: -120 } }
    )");
}

TEST(OutputControl, AVolumeWaitsForNoOtherClient) {
    Script script;
    script.workers.held = true;
    script.play(R"(
        hello a
        hello b
        block
        a> id: 1 panic {}
        b> id: 2 set_volume { volume_db: -3 }
        block
        b< response { id: 2 set_volume { frame: 64 volume_db: -3 } }
        a-
    )");
    blocks(script, 30);
    script.play("b> id: 3 set_volume { add_db: 1 }\nblock\nb< response { id: 3 set_volume { volume_db: -2 } }\na-");
    EXPECT_TRUE(script.engine.output_muted());
    script.workers.finish(0);
    blocks(script, 2);
    script.play("a< response { id: 1 panic {} }");
    EXPECT_EQ(script.engine.output_volume_db(), -2.0F) << "the panic has kept it";
}

TEST(OutputControl, RequestsOfOneClientAreAnsweredInOrder) {
    Script script;
    script.play(R"(
        hello a
        block
        a> id: 1 set_volume { volume_db: -3 }
        a> id: 2 mute_output { muted: true }
        a> id: 3 set_volume { add_db: 1 }
        a> id: 4 mute_output { muted: false }
        a> id: 5 set_volume { volume_db: 99 }
        a> id: 6 mute_output { muted: true }
        block
        block
        a< response { id: 1 set_volume { volume_db: -3 } }
        a< response { id: 2 mute_output {} }
        a< response { id: 3 set_volume { volume_db: -2 } }
        a< response { id: 4 mute_output {} }
        a< response { id: 5 status { code: INVALID_ARGUMENT } }
        a< response { id: 6 mute_output {} }
    )");
}

TEST(OutputControl, AVolumeThatNoBlockHearsIsAnsweredWithoutItsFrame) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 set_volume { volume_db: -6 }
        tick 499
        a-
        tick 1
        a< response { id: 1 status { code: DEADLINE_EXCEEDED } set_volume { volume_db: -6 } }
    )");
    EXPECT_EQ(script.engine.output_volume_db(), -6.0F);
}

TEST(OutputControl, AVolumeWaitsForRoomInTheEngine) {
    Script script;
    script.play("hello a\nhello b\nblock");
    while (script.engine.mute_output(false)) {
    }
    script.play(R"(
        a> id: 1 timeout_ms: 100 set_volume { volume_db: -6 }
        b> id: 1 set_volume { add_db: -1 }
        tick 99
        a-
        tick 1
        a< response { id: 1 status { code: RESOURCE_EXHAUSTED } }
        b-
        block
        block
        b< response { id: 1 set_volume { volume_db: -1 } }
    )");
}

TEST(OutputControl, AMuteWaitsForRoomInTheEngine) {
    Script script;
    script.play("hello a\nblock");
    // 1024 unanswered commands.
    while (script.engine.mute_output(false)) {
    }
    script.play(R"(
        a> id: 1 timeout_ms: 100 mute_output { muted: true }
        tick 99
        a-
        tick 1
        a< response { id: 1 status { code: RESOURCE_EXHAUSTED } }
    )");
    EXPECT_FALSE(script.engine.output_muted());
    script.play(R"(
        a> id: 2 panic {}
        a-
        block
        block
    )");
    EXPECT_TRUE(script.engine.output_muted());
}

}  // namespace
}  // namespace rta::api::test
