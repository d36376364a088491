// SPDX-License-Identifier: MIT
// What is recorded of changes, which answers wait for it, and that the records lead to the same graph and history.
#include "api/change_log.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "api/convert.h"
#include "api/history/saved_history.h"
#include "api/history/step.h"
#include "api/replay.h"
#include "document/document.h"
#include "script.h"
#include "support/random_edits.h"

namespace rta::api::test {
namespace {

using rta::test::RandomEdit;
using rta::test::RandomEdits;

/// The steps of a saved history, with the order in which they can be applied again.
std::string steps_of(const std::string& saved, const Engine& engine) {
    const auto history = SavedHistory::read(saved, engine.registry(), engine.config());
    if (!history) return history.error().sentence;
    std::string text = "next " + std::to_string(history->next_number) + "\n";
    std::vector<std::pair<std::uint64_t, std::uint64_t>> undone;  // order, number
    for (const HistoryStep& step : history->steps) {
        v1::HistoryStep message;
        to_wire(step, message);
        add_edits(*step.content, message);
        message.clear_revision();  // of a run of the daemon
        text += message.DebugString() + "\n";
        if (step.undo_order != 0) undone.emplace_back(step.undo_order, step.number);
    }
    std::ranges::sort(undone);
    for (const auto& [order, number] : undone) text += "redo " + std::to_string(number) + "\n";
    return text;
}

/// A script whose daemon keeps records until the test reports them as written.
class ChangeLogTest : public testing::Test {
 protected:
    ChangeLogTest() { script.daemon.recording = true; }

    [[nodiscard]] std::deque<DaemonAccess::Record>& records() { return script.daemon.records; }
    /// Reports the oldest record as written, or as failed.
    void written(bool durable = true) {
        const DaemonAccess::Record record = std::move(records().front());
        records().pop_front();
        record.done(durable);
    }
    /// Builds a tone before anything is recorded.
    void play_tone() {
        script.daemon.recording = false;
        script.play("hello a\n" + tone());
        script.daemon.recording = true;
    }
    [[nodiscard]] static v1::EditList edits_of(const DaemonAccess::Record& record) {
        v1::EditList edits;
        EXPECT_TRUE(edits.ParseFromString(record.content));
        return edits;
    }

    Script script;
};

TEST_F(ChangeLogTest, ATransactionIsAnsweredWhenItIsWrittenAndHeardImmediately) {
    script.play(R"(
        hello a
        hello b
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe {} }
        a> id: 1 apply_transaction { edits { edits { add_node { name: "n" type: "sine" } } } }
        a> id: 2 get_graph {}
        a-
        b< event { number: 1 graph_changed { revision: 1 } }
        block
        b< event { number: 2 transaction_heard { revision: 1 } }
        a-
        b> id: 2 get_graph {}
        b< response { id: 2 get_graph { revision: 1 } }
    )");
    ASSERT_EQ(records().size(), 1U);
    EXPECT_EQ(records()[0].revision, 1U);
    EXPECT_EQ(edits_of(records()[0]).edits(0).add_node().name(), "n");
    written();
    script.play(R"(
        a< response { id: 1 apply_transaction { revision: 1 durable: true } }
        a< response { id: 2 get_graph { revision: 1 } }
        a> id: 3 apply_transaction { edits { edits { add_node { name: "m" type: "sine" } } } }
    )");
    written(false);
    script.play("a< response { id: 3 apply_transaction { revision: 2 durable: false } }");
}

TEST_F(ChangeLogTest, ATransactionThatWaitsForItsStartWaitsForBoth) {
    const std::string apply = R"(
        a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "NAME" type: "sine" } } } }
        a-
    )";
    const auto named = [&](const std::string& name) { return std::string{apply}.replace(apply.find("NAME"), 4, name); };
    script.play("hello a\n" + named("first"));
    written();
    script.play("a-\nblock\na< response { id: 1 apply_transaction { revision: 1 durable: true } }");
    script.play(named("second") + "block\na-\n");
    written();
    const auto answer = script.receive('a');
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->response().apply_transaction().has_frame());
    EXPECT_TRUE(answer->response().apply_transaction().durable());
}

TEST_F(ChangeLogTest, TransactionsThatWaitAreAnsweredInTheirOrder) {
    script.play(R"(
        hello a
        a> id: 1 apply_transaction { edits { edits { add_node { name: "n" type: "sine" } } } }
        a> id: 2 apply_transaction { edits { edits { add_node { name: "n" type: "sine" } } } }
        a> id: 3 apply_transaction { edits { edits { remove_node { name: "n" } } } }
        a-
    )");
    EXPECT_EQ(script.engine.revision(), 2U) << "none has waited for the disk";
    ASSERT_EQ(records().size(), 2U) << "nothing is recorded of a refused one";
    written();
    written();
    script.play(R"(
        a< response { id: 1 apply_transaction { revision: 1 durable: true } }
        a< response { id: 2 status { code: ALREADY_EXISTS } }
        a< response { id: 3 apply_transaction { revision: 2 durable: true } }
    )");
}

TEST_F(ChangeLogTest, ADiskThatDoesNotAnswerIsNotWaitedForLongerThanTenSeconds) {
    script.play(R"(
        hello a
        a> id: 1 apply_transaction { edits { edits { add_node { name: "n" type: "sine" } } } }
        tick 9999
        a-
        tick 1
        a< response { id: 1 apply_transaction { revision: 1 durable: false } }
    )");
    written();  // too late
    script.play("a-");
}

TEST_F(ChangeLogTest, AClientThatIsGoneChangesNothing) {
    script.play(R"(
        hello a
        a> id: 1 apply_transaction { edits { edits { add_node { name: "n" type: "sine" } } } }
    )");
    script.disconnect('a');
    ASSERT_EQ(records().size(), 1U);
    written();
    EXPECT_NE(script.engine.graph().find("n"), nullptr);
}

TEST_F(ChangeLogTest, OnAFullDiskChangesOfTheGraphAreRefusedAndNothingElse) {
    play_tone();
    script.daemon.room = fail(ErrorCode::resource_exhausted, "the disk is full");
    script.play(R"(
        a> id: 2 apply_transaction { edits { edits { add_node { name: "n" type: "sine" } } } }
        a< response { id: 2 status { code: RESOURCE_EXHAUSTED message: "the disk is full" } }
        a> id: 3 undo {}
        a< response { id: 3 status { code: RESOURCE_EXHAUSTED message: "the disk is full" } }
        a> id: 4 set_parameters { changes { node: "vol" parameter: "gain_db" value: -6 } }
        block
        a< response { id: 4 set_parameters {} }
        a> id: 5 mute_output { muted: true }
        block
        a< response { id: 5 mute_output {} }
        a> id: 6 set_volume { volume_db: -20 }
        block
        a< response { id: 6 set_volume { volume_db: -20 } }
        tick 2000
    )");
    EXPECT_TRUE(records().empty());
    script.daemon.room = true;
    script.play("tick 0\na> id: 7 undo {}\na-");
    ASSERT_EQ(records().size(), 2U) << "the parameter, and the undo";
    written();
    written();
    script.play("a< response { id: 7 undo { revision: 2 durable: true } }");
}

TEST_F(ChangeLogTest, ATransactionWaitsForSpaceUntilItsTimeout) {
    script.daemon.room = false;
    script.play(R"(
        hello a
        hello b
        a> id: 1 timeout_ms: 300 apply_transaction { edits { edits { add_node { name: "n" type: "sine" } } } }
        b> id: 1 apply_transaction { edits { edits { add_node { name: "m" type: "sine" } } } }
        tick 299
        a-
        tick 1
        a< response { id: 1 status { code: UNAVAILABLE } }
        b-
    )");
    EXPECT_EQ(script.engine.revision(), 0U);
    script.daemon.room = true;
    script.dispatcher.services().changes.room_changed();
    ASSERT_EQ(records().size(), 1U);
    written();
    script.play("b< response { id: 1 apply_transaction { revision: 1 durable: true } }");
}

TEST_F(ChangeLogTest, ParametersAreRecordedOnceSoonOrWithTheNextTransaction) {
    play_tone();
    for (int i = 0; i < 50; ++i) {
        script.play("a> id: 2 set_parameters { changes { node: \"vol\" parameter: \"gain_db\" value: -" +
                    std::to_string(i) + " } }\nblock\na< response { id: 2 set_parameters {} }");
    }
    EXPECT_TRUE(records().empty());
    script.tick(std::chrono::milliseconds{500});
    ASSERT_EQ(records().size(), 1U);
    ASSERT_EQ(edits_of(records()[0]).edits_size(), 1);
    EXPECT_EQ(edits_of(records()[0]).edits(0).set_parameter().value(), -49.0F);
    written();
    script.play(R"(
        a> id: 3 set_parameters { changes { node: "osc" parameter: "gain_db" add: -1 } }
        block
        a< response { id: 3 set_parameters {} }
        a> id: 4 apply_transaction { edits { edits { remove_node { name: "osc" } } } }
        tick 1000
    )");
    ASSERT_EQ(records().size(), 1U);
    const v1::EditList edits = edits_of(records()[0]);
    ASSERT_EQ(edits.edits_size(), 2);
    EXPECT_EQ(edits.edits(0).set_parameter().node(), "osc");
    EXPECT_FALSE(edits.edits(0).set_parameter().has_add()) << "its result";
    EXPECT_EQ(edits.edits(1).remove_node().name(), "osc");
}

TEST_F(ChangeLogTest, AScheduledTransactionIsRecorded) {
    script.play(R"(
        hello a
        a> id: 1 apply_transaction { at { in_s: 0.001 } edits { edits { add_node { name: "n" type: "sine" } } } }
    )");
    for (int i = 0; i < 100 && records().empty(); ++i) {
        script.tick(std::chrono::milliseconds{1});
        script.render_block();
    }
    ASSERT_EQ(records().size(), 1U);
    EXPECT_EQ(edits_of(records()[0]).edits(0).add_node().name(), "n");
}

/// A model: whatever has been recorded leads to the same graph, and to the same steps, as the daemon has.
TEST_F(ChangeLogTest, TheRecordsLeadToTheSameGraphAndHistory) {
    for (const std::uint32_t seed : {1U, 2U, 3U, 4U}) {
        SCOPED_TRACE(seed);
        Script one;
        one.daemon.recording = true;
        std::mt19937 random{seed};
        const auto number = [&](std::uint32_t below) { return static_cast<std::uint32_t>(random() % below); };
        std::vector<DaemonAccess::Record> all;
        const auto answer = [&](char client) {
            while (true) {
                while (!one.daemon.records.empty()) {
                    all.push_back(std::move(one.daemon.records.front()));
                    one.daemon.records.pop_front();
                    all.back().done(true);
                }
                if (const auto message = one.receive(client)) return message->response();
                one.block();
            }
        };
        one.play("hello a\nhello b");
        v1::Request start;
        const rta::test::RandomEditLimits limits{.remembering = true, .channels = 1};
        to_wire(RandomEdits::start(2, limits), *start.mutable_apply_transaction()->mutable_graph());
        one.send('a', start);
        static_cast<void>(answer('a'));
        std::uint32_t next_name = 0;
        int done = 0;
        for (int i = 0; i < 150; ++i) {
            const char client = number(2) == 0 ? 'a' : 'b';
            v1::Request request;
            const std::uint32_t what = number(10);
            if (what < 5) {
                RandomEdits edits{one.engine.graph().document(), limits, next_name};
                for (std::uint32_t k = 0; k <= number(3); ++k) {
                    edits.add(
                        {static_cast<RandomEdit::Kind>(number(static_cast<std::uint32_t>(RandomEdit::Kind::count))),
                         number(2), number(2), number(1'000'000), number(1'000'000)});
                }
                request.mutable_apply_transaction()->mutable_edits();
                for (const Edit& edit : edits.edits())
                    to_wire(edit, *request.mutable_apply_transaction()->mutable_edits()->add_edits());
            } else if (what < 8) {
                const GraphDocument document = one.engine.graph().document();
                const auto& node = document.nodes[number(static_cast<std::uint32_t>(document.nodes.size()))];
                const auto change = rta::test::random_parameter(node, number(1'000'000));
                if (!change) continue;
                v1::SetParameter& set = *request.mutable_set_parameters()->add_changes();
                set.set_node(node.name);
                set.set_parameter(change->parameter);
                set.set_value(change->value);
            } else if (what < 9) {
                request.mutable_undo()->set_of_all(number(2) == 0);
                request.mutable_undo()->set_force(true);
            } else {
                request.mutable_redo()->set_of_all(true);
            }
            one.send(client, request);
            done += answer(client).status().code() == v1::OK ? 1 : 0;
            if (number(4) == 0) one.tick(std::chrono::milliseconds{600});
        }
        EXPECT_GT(done, 60);
        one.dispatcher.services().changes.flush();
        for (DaemonAccess::Record& record : one.daemon.records) all.push_back(std::move(record));
        std::vector<std::string> contents;
        std::vector<std::optional<std::string>> histories;
        for (const DaemonAccess::Record& record : all) {
            contents.push_back(record.content);
            histories.emplace_back(record.history());
        }
        std::vector<RecordedChange> changes;
        for (std::size_t i = 0; i < all.size(); ++i) changes.push_back({contents[i], histories[i]});
        const auto replayed = replay(one.engine.registry(), one.engine.config(), std::nullopt, "", changes);
        ASSERT_TRUE(replayed) << replayed.error().sentence;
        EXPECT_EQ(replayed->why, "");
        EXPECT_EQ(replayed->count, all.size());
        EXPECT_EQ(replayed->graph, write_document(one.engine.graph().document()));
        ASSERT_TRUE(replayed->history);
        EXPECT_EQ(steps_of(*replayed->history, one.engine),
                  steps_of(one.dispatcher.services().history.writer()(), one.engine));
    }
}

TEST_F(ChangeLogTest, AChangeThatCannotBeMadeAgainEndsTheReplay) {
    v1::EditList add;
    add.add_edits()->mutable_add_node()->set_name("n");
    add.mutable_edits(0)->mutable_add_node()->set_type("sine");
    v1::EditList half = add;
    half.mutable_edits(0)->mutable_add_node()->set_name("m");
    half.add_edits()->mutable_remove_node()->set_name("missing");
    const std::string good = add.SerializeAsString();
    const std::string bad = half.SerializeAsString();
    const std::string damaged = "\xFF\xFF";
    const std::optional<std::string> none;
    for (const std::string& second : {bad, damaged}) {
        const std::vector<RecordedChange> changes{{good, none}, {second, none}, {good, none}};
        const auto replayed = replay(script.engine.registry(), script.engine.config(), std::nullopt, "", changes);
        ASSERT_TRUE(replayed);
        EXPECT_EQ(replayed->count, 1U);
        EXPECT_NE(replayed->why, "");
        EXPECT_NE(replayed->graph.find("\"n\""), std::string::npos);
        EXPECT_EQ(replayed->graph.find("\"m\""), std::string::npos) << "all or nothing";
        EXPECT_EQ(replayed->history, std::nullopt);
    }
}

}  // namespace
}  // namespace rta::api::test
