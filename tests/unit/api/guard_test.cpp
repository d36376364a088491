// SPDX-License-Identifier: MIT
// Guards: what a request requires of the state of the daemon.
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include "api/call.h"
#include "api/requests/transaction.h"
#include "document/document.h"
#include "script.h"

namespace rta::api::test {
namespace {

float value_of(const Script& script, std::string_view node, std::string_view parameter) {
    const GraphNode* const found = script.engine.graph().find(node);
    return found == nullptr ? -1.0F : found->parameters.at(*found->description->layout.find_parameter(parameter));
}

v1::Response answer(Script& script, char client, const v1::Request& message) {
    script.send(client, message);
    const auto received = script.receive(client);
    EXPECT_TRUE(received);
    return received ? received->response() : v1::Response{};
}

v1::Response answer(Script& script, char client, std::string_view text) {
    return answer(script, client, request(text));
}

TEST(Guards, AnEditOfTheExpectedRevisionIsCommittedAndAnyOtherChangesNothing) {
    Script script;
    script.play("hello a\nhello b\n" + tone() + R"(
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe { change_number: 2 } }
        a> id: 2 apply_transaction { guard { expected_revision: 1 } edits { edits { add_node { name: "x" type: "gain" } } } }
        a< response { id: 2 apply_transaction { revision: 2 } }
        b< event { number: 3 graph_changed { revision: 2 } }
        block
        b< event { number: 4 transaction_heard { revision: 2 } }
        a> id: 3 apply_transaction { guard { expected_revision: 1 } edits { edits { add_node { name: "y" type: "gain" } } } }
        a< response { id: 3 status { code: ABORTED conflict { revision: 2 change_number: 4 client_name: "a" } } }
        a> id: 4 apply_transaction { guard { expected_revision: 3 } graph {} }
        a< response { id: 4 status { code: ABORTED conflict { revision: 2 } } }
        a> id: 5 set_parameters { guard { expected_revision: 1 } changes { node: "vol" parameter: "gain_db" value: -3 } }
        a< response { id: 5 status { code: ABORTED conflict { revision: 2 change_number: 4 client_name: "a" } } }
        a> id: 6 apply_transaction { guard {} edits {} }
        a< response { id: 6 apply_transaction { revision: 3 } }
        b< event { number: 5 graph_changed { revision: 3 } }
        b-
    )");
    EXPECT_EQ(script.engine.graph().find("y"), nullptr);
    EXPECT_EQ(value_of(script, "vol", "gain_db"), 0.0F);
}

TEST(Guards, TheErrorSaysWhatWasFoundAndWhoChangedIt) {
    Script script;
    script.connect('a', {.door = Entry::Door::loopback});
    script.play("hello a\nhello b\n" + tone());
    const v1::Response refused = answer(script, 'b', "apply_transaction { guard { expected_revision: 0 } graph {} }");
    EXPECT_EQ(refused.status().message(),
              "the graph is at revision 1, not at the expected revision 0; the latest change is that of loopback "
              "(client \"a\"); nothing has changed; read the graph again");
    EXPECT_EQ(refused.status().conflict().author(), "loopback");
    EXPECT_FALSE(refused.status().has_edit_index());
    EXPECT_EQ(refused.result_case(), v1::Response::RESULT_NOT_SET);
}

TEST(Guards, ABeginningWithoutChangesHasNoAuthor) {
    Script script;
    script.play("hello a");
    const v1::Response refused = answer(script, 'a', "apply_transaction { guard { expected_revision: 7 } graph {} }");
    EXPECT_EQ(refused.status().code(), v1::ABORTED);
    EXPECT_EQ(refused.status().message(),
              "the graph is at revision 0, not at the expected revision 7; nothing has changed; read the graph again");
    EXPECT_EQ(refused.status().conflict().client_name(), "");
}

TEST(Guards, OnlyChangesOfTheGraphAndOfParametersBreakAnExpectedChange) {
    Script script;
    script.play("hello a\nhello b\n" + tone());
    const auto seen = answer(script, 'a', "get_graph { nodes: 'vol' }").get_graph().change_number();
    EXPECT_EQ(seen, 2U);
    // Muting and being heard take numbers, too.
    script.play(R"(
        b> id: 1 mute_output { muted: true }
        block
        b< response { id: 1 mute_output {} }
        a> id: 2 set_parameters { guard { expected_change: 2 } changes { node: "vol" parameter: "gain_db" value: -3 } }
        block
        a< response { id: 2 set_parameters {} }
        a> id: 3 set_parameters { guard { expected_change: 3 } changes { node: "vol" parameter: "gain_db" value: -6 } }
        a< response { id: 3 status { code: ABORTED conflict { revision: 1 change_number: 4 client_name: "a" } } }
        a> id: 4 set_parameters { guard { expected_change: 4 expected_revision: 1 } changes { node: "vol" parameter: "gain_db" value: -9 } }
        block
        a< response { id: 4 set_parameters {} }
        b> id: 2 apply_transaction { guard { expected_change: 4 } edits {} }
        b< response { id: 2 status { code: ABORTED conflict { revision: 1 change_number: 5 client_name: "a" } } }
        b> id: 3 apply_transaction { guard { expected_change: 5 } edits {} }
        b< response { id: 3 apply_transaction { revision: 2 } }
        a> id: 5 apply_transaction { guard { expected_change: 99 } edits {} }
        a< response { id: 5 status { code: ABORTED conflict { revision: 2 change_number: 6 client_name: "b" } } }
    )");
    EXPECT_EQ(value_of(script, "vol", "gain_db"), -9.0F);
}

TEST(Guards, NumbersOfAnotherInstanceDoNotHold) {
    Script script;
    script.play("hello a\n" + tone());
    v1::Request edit = request("id: 2 apply_transaction { guard { expected_revision: 1 } edits {} }");
    edit.mutable_apply_transaction()->mutable_guard()->set_expected_instance("0123");
    const v1::Response refused = answer(script, 'a', edit);
    EXPECT_EQ(refused.status().code(), v1::ABORTED);
    EXPECT_EQ(refused.status().conflict().revision(), 1U);
    EXPECT_NE(refused.status().message().find("not the expected \"0123\""), std::string::npos)
        << refused.status().message();
    edit.mutable_apply_transaction()->mutable_guard()->set_expected_instance(std::string(8'000, '\x01'));
    EXPECT_LT(answer(script, 'a', edit).status().message().size(), 500U);
    edit.mutable_apply_transaction()->mutable_guard()->set_expected_instance(script.dispatcher.hub().instance_id());
    EXPECT_EQ(answer(script, 'a', edit).apply_transaction().revision(), 2U);
}

TEST(Guards, OfSeveralClientsThatEditTheSameRevisionTheFirstWins) {
    Script script;
    script.play("hello a\nhello b\nhello c\n" + tone());
    script.workers.held = true;
    for (const char client : {'a', 'b', 'c'}) {
        script.send(client,
                    request("id: 2 apply_transaction { guard { expected_revision: 1 } edits { edits { add_node { "
                            "name: \"" +
                            std::string{client} + "\" type: \"gain\" } } } }"));
    }
    while (!script.workers.jobs.empty()) script.workers.finish(script.workers.jobs.size() - 1);
    script.play(R"(
        c< response { id: 2 apply_transaction { revision: 2 } }
        b< response { id: 2 status { code: ABORTED conflict { revision: 2 client_name: "c" } } }
        a< response { id: 2 status { code: ABORTED conflict { revision: 2 client_name: "c" } } }
    )");
    EXPECT_EQ(script.engine.graph().node_count(), 4U);
}

/// Every guard holds when its request is sent.
TEST(Guards, ARequestThatHasWaitedForRoomIsCheckedAgain) {
    Script script;
    script.play("hello a\nhello b\nhello c\n" + tone());
    while (script.engine.mute_output(false)) {
    }
    script.play(R"(
        a> id: 2 set_parameters { changes { node: "vol" parameter: "gain_db" value: -20 } }
        b> id: 2 set_parameters { guard { expected_change: 2 } changes { node: "vol" parameter: "gain_db" value: -30 } }
        c> id: 2 set_parameters { guard { expected_revision: 1 } changes { node: "osc" parameter: "gain_db" value: -40 } }
        a-
        b-
        c-
        block
        block
        block
        a< response { id: 2 set_parameters {} }
        b< response { id: 2 status { code: ABORTED conflict { revision: 1 client_name: "a" } } }
        c< response { id: 2 set_parameters {} }
    )");
    EXPECT_EQ(value_of(script, "vol", "gain_db"), -20.0F);
    EXPECT_EQ(value_of(script, "osc", "gain_db"), -40.0F);
}

TEST(Guards, ATransactionThatHasWaitedForRoomIsCheckedAgain) {
    Script script;
    script.play("hello a\nhello b\n" + tone());
    while (script.engine.mute_output(false)) {
    }
    script.play(R"(
        a> id: 2 apply_transaction { guard { expected_revision: 1 } edits { edits { remove_node { name: "vol" } } } }
        b> id: 2 apply_transaction { guard { expected_revision: 1 } edits { edits { remove_node { name: "osc" } } } }
        a-
        b-
        block
        block
        block
        a< response { id: 2 apply_transaction { revision: 2 } }
        b< response { id: 2 status { code: ABORTED conflict { revision: 2 client_name: "a" } } }
    )");
    EXPECT_NE(script.engine.graph().find("osc"), nullptr);
}

v1::Request large_edit(std::string_view first) {
    v1::Request large = request("id: 2 apply_transaction { edits { " + std::string{first} + " } }");
    for (int i = 0; i < 600; ++i) {
        v1::Node& node = *large.mutable_apply_transaction()->mutable_edits()->add_edits()->mutable_add_node();
        node.set_name("gain_" + std::to_string(i));
        node.set_type("gain");
        node.set_title("One of the many nodes of a large transaction");
    }
    EXPECT_TRUE(PendingRequest::is_large(large.SerializeAsString().size()));
    return large;
}

/// A worker finds that a node is missing, in a snapshot of the graph.
TEST(Guards, ALargeEditOfAnotherRevisionIsAbortedAlsoIfItDoesNotApply) {
    Script script;
    script.play("hello a\n" + tone());
    v1::Request large = large_edit(R"(edits { remove_node { name: "gone" } })");
    EXPECT_EQ(answer(script, 'a', large).status().code(), v1::NOT_FOUND);
    large.mutable_apply_transaction()->mutable_guard()->set_expected_revision(1);
    EXPECT_EQ(answer(script, 'a', large).status().code(), v1::NOT_FOUND);
    large.mutable_apply_transaction()->mutable_guard()->set_expected_revision(0);
    EXPECT_EQ(answer(script, 'a', large).status().code(), v1::ABORTED);
    large = large_edit(R"(edits { remove_node { name: "vol" } })");
    large.mutable_apply_transaction()->mutable_guard()->set_expected_revision(0);
    EXPECT_EQ(answer(script, 'a', large).status().code(), v1::ABORTED);
    EXPECT_EQ(script.engine.graph().node_count(), 3U);
    large.mutable_apply_transaction()->mutable_guard()->set_expected_revision(1);
    EXPECT_EQ(answer(script, 'a', large).apply_transaction().revision(), 2U);
}

v1::Request check_of(const v1::Request& edit) {
    v1::Request check;
    check.set_id(edit.id());
    *check.mutable_check_graph()->mutable_edits() = edit.apply_transaction().edits();
    return check;
}

/// What a dry run has shown is what happens, or nothing.
TEST(Guards, WhatWasCheckedCanBeAppliedToTheSameGraphOnly) {
    for (const bool is_large : {false, true}) {
        SCOPED_TRACE(is_large);
        Script script;
        script.play("hello a\nhello b\n" + tone());
        v1::Request edit = request(R"(id: 2 apply_transaction { edits { edits { remove_node { name: "vol" } } } })");
        if (is_large) edit = large_edit(R"(edits { remove_node { name: "vol" } })");
        const v1::CheckResult checked = answer(script, 'a', check_of(edit)).check_graph();
        EXPECT_EQ(checked.revision(), 1U);
        EXPECT_EQ(checked.change_number(), 2U);
        script.play(R"(
            b> id: 3 set_parameters { changes { node: "vol" parameter: "gain_db" value: -3 } }
            block
            b< response { id: 3 set_parameters {} }
        )");
        v1::Guard& guard = *edit.mutable_apply_transaction()->mutable_guard();
        guard.set_expected_change(checked.change_number());
        EXPECT_EQ(answer(script, 'a', edit).status().code(), v1::ABORTED);
        v1::Request check = check_of(edit);
        *check.mutable_check_graph()->mutable_guard() = guard;
        const v1::Response outdated = answer(script, 'a', check);
        EXPECT_EQ(outdated.status().code(), v1::ABORTED);
        EXPECT_EQ(outdated.status().conflict().client_name(), "b");
        EXPECT_EQ(script.engine.revision(), 1U);
        const v1::CheckResult again = answer(script, 'a', check_of(edit)).check_graph();
        EXPECT_EQ(again.change_number(), 3U);
        guard.set_expected_change(again.change_number());
        guard.set_expected_revision(again.revision());
        EXPECT_EQ(answer(script, 'a', edit).apply_transaction().revision(), 2U);
    }
}

TEST(Guards, ACheckReturnsTheDifferenceFromTheGraph) {
    Script script;
    script.play("hello a\n" + tone() + R"(
        a> id: 2 check_graph { with_diff: true edits { edits { rename_node { name: "vol" new_name: "level" } } edits { set_parameter { node: "level" parameter: "gain_db" add: -3 } } } }
        a< response { id: 2 check_graph { diff { rename_node { name: "vol" new_name: "level" } } diff { set_parameter { node: "level" parameter: "gain_db" value: -3 } } } }
    )");
    EXPECT_EQ(answer(script, 'a', R"(check_graph { edits { edits { remove_node { name: "vol" } } } })")
                  .check_graph()
                  .diff_size(),
              0)
        << "only if it is wanted";
    EXPECT_EQ(answer(script, 'a', "check_graph { with_diff: true edits {} }").check_graph().diff_size(), 0);
    // A document, and a large transaction: applied to the graph, the difference gives what the whole would give.
    v1::Request document = request("check_graph { with_diff: true with_graph: true }");
    document.mutable_check_graph()->set_document(
        R"({"nodes": [{"name": "vol", "type": "gain", "parameters": {"gain_db": "-9 dB"}}]})");
    v1::Request large = check_of(large_edit(R"(edits { remove_node { name: "osc" } })"));
    large.mutable_check_graph()->set_with_diff(true);
    large.mutable_check_graph()->set_with_graph(true);
    for (v1::Request& check : std::array{document, large}) {
        const v1::CheckResult whole = answer(script, 'a', check).check_graph();
        EXPECT_GT(whole.diff_size(), 0);
        v1::Request again = request("check_graph { with_graph: true }");
        *again.mutable_check_graph()->mutable_edits()->mutable_edits() = whole.diff();
        const v1::CheckResult same = answer(script, 'a', again).check_graph();
        EXPECT_EQ(write_document(*to_document(same.graph())), write_document(*to_document(whole.graph())));
    }
    EXPECT_EQ(script.engine.revision(), 1U);
}

/// A client that reads a value, adds 1, and writes it.
class Adder {
 public:
    Adder(Script& script, char name, bool guarded) : script_{script}, name_{name}, guarded_{guarded} {
        script_.play("hello " + std::string{name});
    }

    [[nodiscard]] int done() const { return done_; }
    [[nodiscard]] int conflicts() const { return conflicts_; }

    /// Makes one step: sends a request, or receives its response if there is one.
    void step() {
        if (state_ == State::idle) {
            script_.send(name_, request("get_graph { content: GRAPH_CONTENT_MESSAGE nodes: 'osc' }"));
            state_ = State::reading;
            return;
        }
        const auto received = script_.receive(name_);
        if (!received) return;
        if (state_ == State::reading) return write(received->response().get_graph());
        state_ = State::idle;
        const v1::Status& status = received->response().status();
        if (status.code() == v1::OK) {
            ++done_;
        } else {
            EXPECT_EQ(status.code(), v1::ABORTED) << status.message();
            EXPECT_TRUE(status.has_conflict());
            ++conflicts_;
        }
    }

 private:
    enum class State { idle, reading, writing };

    void write(const v1::GraphResult& graph) {
        v1::Request set = request("set_parameters { changes { node: 'osc' parameter: 'frequency_hz' } }");
        set.mutable_set_parameters()->mutable_changes(0)->set_value(
            graph.graph().nodes(0).parameters().at("frequency_hz") + 1.0F);
        if (guarded_) set.mutable_set_parameters()->mutable_guard()->set_expected_change(graph.change_number());
        script_.send(name_, set);
        state_ = State::writing;
    }

    Script& script_;
    char name_;
    bool guarded_;
    State state_ = State::idle;
    int done_ = 0;
    int conflicts_ = 0;
};

/// Returns the frequency after two clients have each added 1 to 1,000 Hz this many times, in random turns.
float race(bool guarded, int times, int& conflicts) {
    Script script;
    script.play("hello t\n" + tone('t'));
    std::array<Adder, 2> adders{Adder{script, 'a', guarded}, Adder{script, 'b', guarded}};
    std::mt19937 random{13};  // NOLINT(bugprone-random-generator-seed): the test must be repeatable
    while (adders[0].done() < times || adders[1].done() < times) {
        const std::size_t turn = random() % 3;
        if (turn == 2) {
            script.block();
        } else if (adders[turn].done() < times) {
            adders[turn].step();
        }
    }
    conflicts = adders[0].conflicts() + adders[1].conflicts();
    return value_of(script, "osc", "frequency_hz");
}

TEST(Guards, ClientsThatReadChangeAndWriteLoseNoUpdate) {
    constexpr int kTimes = 500;
    int conflicts = 0;
    EXPECT_EQ(race(true, kTimes, conflicts), 440.0F + 2 * kTimes);
    EXPECT_GT(conflicts, 50) << "the clients did not race";
    EXPECT_LT(race(false, kTimes, conflicts), 440.0F + 2 * kTimes) << "without guards, updates are lost";
}

TEST(Guards, ASavedDocumentHasItsRevisionAndIsLoadedWithoutIt) {
    Script script;
    script.play("hello a\nhello b\n" + tone());
    const v1::GraphResult saved = answer(script, 'a', "get_graph { with_origin: true }").get_graph();
    const auto read = read_document(saved.document());
    ASSERT_TRUE(read) << read.error().sentence;
    EXPECT_EQ(read->origin.revision, 1U);
    EXPECT_EQ(read->origin.instance, script.dispatcher.hub().instance_id());
    EXPECT_FALSE(saved.graph().has_revision()) << "a mirror compares graphs";
    script.play(R"(
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe {} }
    )");
    v1::Request load;
    load.mutable_apply_transaction()->set_document(saved.document());
    EXPECT_EQ(answer(script, 'a', load).apply_transaction().revision(), 2U);
    EXPECT_EQ(answer(script, 'a', "apply_transaction { graph { revision: 1 instance: 'x' } }").status().code(), v1::OK);
    EXPECT_EQ(
        answer(script, 'a', "apply_transaction { edits { edits { replace_graph { revision: 1 instance: 'x' } } } }")
            .status()
            .code(),
        v1::OK);
    for (int i = 0; i < 3; ++i) {
        const auto event = script.receive('b');
        ASSERT_TRUE(event);
        const v1::Graph& graph = event->event().graph_changed().edits(0).replace_graph();
        EXPECT_FALSE(graph.has_revision()) << event->ShortDebugString();
        EXPECT_EQ(graph.instance(), "");
    }
}

}  // namespace
}  // namespace rta::api::test
