// SPDX-License-Identifier: MIT
// Edits that are reverted unless they are confirmed: against a model of two documents, the graph and that after a revert.
#include "api/confirmation/confirmation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "document/document.h"
#include "script.h"

namespace rta::api::test {
namespace {

using v1::ConfirmationChanged;

std::string text(const AudioGraph& graph) { return write_document(graph.document()); }

/// Clients of different authors; the test's clock drives UTC, too.
class ConfirmationTest : public ::testing::Test {
 protected:
    ConfirmationTest() {
        for (const char name : std::string{"abc"}) greet(name);
        script.play(tone());
        script.play("a> id: 90 subscribe { topics: TOPIC_CHANGES }\na< response { id: 90 subscribe { } }\n");
        before = document();
        script.daemon.store.error.clear();
    }

    void greet(char name) {
        script.connect(name, {.door = Entry::Door::unix_socket, .user_id = 1'000U + static_cast<unsigned char>(name)});
        script.play("hello " + std::string{name});
    }
    static std::string author(char name) { return "uid " + std::to_string(1'000 + name); }

    v1::Response call(const std::string& request_text, char client = 'a') {
        script.send(client, request("id: 2 " + request_text));
        return answer(client);
    }
    v1::Response answer(char client = 'a') {
        for (int blocks = 0; blocks < 2'000; ++blocks) {
            while (auto message = script.receive(client)) {
                if (message->has_response()) return message->response();
                events.push_back(message->event());
            }
            script.block();
        }
        ADD_FAILURE() << "no response";
        return {};
    }
    bool answered(char client) {
        const auto message = script.receive(client);
        return message && message->has_response();
    }
    static std::string edits(const std::string& list, const std::string& confirm = "") {
        return "apply_transaction { wait_for_start: true edits { " + list + " } " + confirm + " }";
    }
    static std::string add(const std::string& name) {
        return "edits { add_node { name: \"" + name + "\" type: \"gain\" } }";
    }
    static constexpr const char* kConfirm = "confirm_within_s: 30";
    static constexpr const char* kUnplug = "edits { disconnect { from: \"vol\" to: \"out\" } }";
    static std::string set(const std::string& parameter, float value, const std::string& node = "vol") {
        return "set_parameters { changes { node: \"" + node + "\" parameter: \"" + parameter +
               "\" value: " + std::to_string(value) + " } }";
    }
    /// Time passes, and blocks are rendered.
    void pass(std::chrono::milliseconds time) {
        script.now += time;
        script.daemon.utc += std::chrono::microseconds{time}.count();
        settle();
    }
    void settle() {
        for (int i = 0; i < 20; ++i) script.block();
        while (auto message = script.receive('a')) {
            if (message->has_event()) events.push_back(message->event());
        }
    }
    [[nodiscard]] std::string document() const { return text(script.engine.graph()); }
    [[nodiscard]] float value(const std::string& node, const std::string& parameter) const {
        const auto place = script.engine.graph().find_parameter(node, parameter);
        return place ? script.engine.graph().find(place->node)->parameters[place->index] : -1e9F;
    }
    std::vector<ConfirmationChanged> changes() {
        std::vector<ConfirmationChanged> found;
        for (const v1::Event& event : events) {
            if (event.has_confirmation_changed()) found.push_back(event.confirmation_changed());
        }
        return found;
    }
    std::vector<ConfirmationChanged::What> kinds() {
        std::vector<ConfirmationChanged::What> found;
        for (const ConfirmationChanged& changed : changes()) found.push_back(changed.what());
        return found;
    }
    std::vector<std::string> history() {
        std::vector<std::string> steps;
        const v1::Response response = call("get_history { }");
        for (const v1::HistoryStep& step : response.get_history().steps())
            steps.push_back(step.summary() + (step.undone() ? " (undone by " + step.undone_by() + ")" : ""));
        return steps;
    }
    [[nodiscard]] bool waits() { return call("get_status { }", 'c').get_status().has_confirmation(); }

    Script script;
    std::vector<v1::Event> events;
    std::string before;
};

#define EXPECT_OK(response) EXPECT_EQ((response).status().code(), v1::OK) << (response).status().message()

TEST_F(ConfirmationTest, AnEditWaitsAndEveryClientIsTold) {
    const v1::Response response = call(edits(kUnplug, kConfirm));
    ASSERT_EQ(response.status().code(), v1::OK) << response.status().message();
    const v1::OpenConfirmation& open = response.apply_transaction().confirmation();
    EXPECT_EQ(open.id(), 1U);
    EXPECT_EQ(open.revision(), 2U);
    EXPECT_EQ(open.author(), author('a'));
    EXPECT_EQ(open.client_name(), "a");
    EXPECT_EQ(open.left_s(), 30.0);
    EXPECT_EQ(open.summary(), "disconnect vol -> out");
    pass(std::chrono::milliseconds{1'500});
    const v1::OpenConfirmation status = call("get_status { }", 'b').get_status().confirmation();
    EXPECT_EQ(status.id(), 1U);
    EXPECT_NEAR(status.left_s(), 28.5, 1e-6);
    ASSERT_EQ(kinds(), std::vector{ConfirmationChanged::OPENED});
    const auto graph = std::ranges::find_if(events, &v1::Event::has_graph_changed);
    const auto opened = std::ranges::find_if(events, &v1::Event::has_confirmation_changed);
    EXPECT_LT(graph->number(), opened->number());
    EXPECT_FALSE(call("apply_transaction { edits { } }").apply_transaction().has_confirmation());
}

TEST_F(ConfirmationTest, WithoutAConfirmationItIsRevertedInTime) {
    EXPECT_OK(call(edits(kUnplug, kConfirm)));
    const std::string after = document();
    pass(std::chrono::milliseconds{29'900});
    EXPECT_EQ(document(), after);
    pass(std::chrono::milliseconds{100});
    EXPECT_EQ(document(), before);
    EXPECT_EQ(script.engine.revision(), 3U) << "one transaction";
    EXPECT_FALSE(waits());
    EXPECT_EQ(kinds(), (std::vector{ConfirmationChanged::OPENED, ConfirmationChanged::REVERTED}));
    EXPECT_EQ(changes()[1].author(), "") << "its time has passed";
    EXPECT_EQ(changes()[1].confirmation().left_s(), 0.0);
    const auto reverted =
        std::ranges::find_if(events, [](const v1::Event& event) { return event.graph_changed().revision() == 3; });
    ASSERT_NE(reverted, events.end());
    EXPECT_EQ(reverted->graph_changed().author(), author('a'));
    EXPECT_EQ(reverted->graph_changed().edits_size(), 1);
    EXPECT_TRUE(
        std::ranges::any_of(events, [](const v1::Event& event) { return event.transaction_heard().revision() == 3; }));
    ASSERT_EQ(script.daemon.warnings.size(), 1U);
    EXPECT_EQ(script.daemon.warnings[0],
              "the edit of " + author('a') + " was not confirmed within 30 s and is reverted: disconnect vol -> out");
    EXPECT_EQ(history()[0], "disconnect vol -> out (undone by " + author('a') + ")");
    EXPECT_OK(call("redo { }"));
    EXPECT_EQ(document(), after) << "it can be applied again";
}

TEST_F(ConfirmationTest, EveryClientWithControlConfirms) {
    EXPECT_OK(call(edits(kUnplug, kConfirm)));
    const std::string after = document();
    const v1::Response response = call("confirm { }", 'b');
    EXPECT_OK(response);
    EXPECT_EQ(response.confirm().confirmation().id(), 1U);
    EXPECT_EQ(script.daemon.confirmation, std::nullopt) << "nothing that a restart could revert";
    pass(std::chrono::seconds{60});
    EXPECT_EQ(document(), after);
    EXPECT_EQ(kinds(), (std::vector{ConfirmationChanged::OPENED, ConfirmationChanged::CONFIRMED}));
    EXPECT_EQ(changes()[1].author(), author('b'));
    EXPECT_EQ(call("confirm { }").status().code(), v1::FAILED_PRECONDITION);
    EXPECT_EQ(call("revert { }").status().code(), v1::FAILED_PRECONDITION);
    EXPECT_EQ(call("confirm { id: 1 }").status().code(), v1::NOT_FOUND);
    EXPECT_OK(call(edits(add("x")), 'b'));
    EXPECT_TRUE(script.daemon.warnings.empty());
}

TEST_F(ConfirmationTest, EveryClientWithControlReverts) {
    EXPECT_OK(call(edits(kUnplug, kConfirm)));
    EXPECT_EQ(call("revert { id: 7 }", 'b').status().code(), v1::NOT_FOUND);
    const v1::Response response = call("revert { id: 1 wait_for_start: true }", 'b');
    EXPECT_OK(response);
    EXPECT_EQ(document(), before);
    EXPECT_EQ(response.revert().revision(), 3U);
    EXPECT_TRUE(response.revert().has_frame());
    ASSERT_EQ(response.revert().steps_size(), 1);
    EXPECT_EQ(response.revert().steps(0).undone_by(), author('b'));
    settle();
    EXPECT_EQ(kinds(), (std::vector{ConfirmationChanged::OPENED, ConfirmationChanged::REVERTED}));
    EXPECT_EQ(changes()[1].author(), author('b'));
    EXPECT_TRUE(script.daemon.warnings.empty());
    EXPECT_EQ(call("revert { }", 'b').status().code(), v1::FAILED_PRECONDITION);
}

TEST_F(ConfirmationTest, TheClientMayVanish) {
    EXPECT_OK(call(edits(kUnplug, kConfirm), 'b'));
    script.disconnect('b');
    pass(std::chrono::seconds{30});
    EXPECT_EQ(document(), before);
}

TEST_F(ConfirmationTest, EditsOfOthersAreRefusedUntilThen) {
    EXPECT_OK(call(edits(kUnplug, kConfirm)));
    pass(std::chrono::milliseconds{7'200});
    for (const std::string& edit : {edits(add("x")), edits(add("x"), kConfirm), std::string{"undo { of_all: true }"},
                                    std::string{"redo { of_all: true }"}}) {
        const v1::Response response = call(edit, 'b');
        if (edit.starts_with("redo")) {
            EXPECT_EQ(response.status().code(), v1::NOT_FOUND) << "there is nothing to apply again";
            continue;
        }
        EXPECT_EQ(response.status().code(), v1::FAILED_PRECONDITION) << edit;
        EXPECT_EQ(response.status().message(),
                  "the edit of " + author('a') +
                      " (client \"a\"), disconnect vol -> out, waits for its confirmation, "
                      "23 s left; expected it to be confirmed or reverted first")
            << edit;
    }
    EXPECT_EQ(call(edits(add("x"), kConfirm)).status().code(), v1::FAILED_PRECONDITION) << "one at a time";
    for (const std::string& always :
         {set("gain_db", -3), std::string{"mute_output { muted: true }"}, std::string{"set_volume { volume_db: -6 }"},
          std::string{"check_graph { edits { " + add("x") + " } }"}, std::string{"panic { }"}})
        EXPECT_OK(call(always, 'b'));
    EXPECT_OK(call(edits(add("x"))));
    EXPECT_OK(call("revert { }", 'b'));
    EXPECT_OK(call(edits(add("y")), 'b'));
}

TEST_F(ConfirmationTest, AScheduledTransactionOfAnotherFailsWhenItIsDue) {
    EXPECT_OK(call("apply_transaction { at { in_s: 0.5 } edits { " + add("theirs") + " } }", 'b'));
    EXPECT_OK(call("apply_transaction { at { in_s: 0.5 } edits { " + add("mine") + " } }"));
    EXPECT_OK(call(set("gain_db", -3).substr(0, 17) + "at { in_s: 0.5 } " + set("gain_db", -3).substr(17), 'b'));
    EXPECT_OK(call(edits(kUnplug, kConfirm)));
    for (int i = 0; i < 600; ++i) {
        script.now += std::chrono::nanoseconds{64 * 1'000'000'000LL / 48'000};
        script.block();
    }
    EXPECT_EQ(value("theirs", "gain_db"), -1e9F);
    EXPECT_EQ(value("mine", "gain_db"), 0.0F);
    EXPECT_EQ(value("vol", "gain_db"), -3.0F);
    settle();
    const auto failed = std::ranges::find_if(
        events, [](const v1::Event& event) { return event.pending_changed().what() == v1::PendingChanged::FAILED; });
    ASSERT_NE(failed, events.end());
    EXPECT_EQ(failed->pending_changed().error().code(), v1::FAILED_PRECONDITION);
    pass(std::chrono::seconds{31});
    EXPECT_EQ(value("mine", "gain_db"), -1e9F) << "it is reverted together";
    EXPECT_EQ(value("vol", "gain_db"), -3.0F) << "a parameter stays, also a scheduled one";
}

TEST_F(ConfirmationTest, ParametersThatWereSetInTheMeantimeStay) {
    EXPECT_OK(
        call(edits("edits { set_parameter { node: \"vol\" parameter: \"gain_db\" value: -20 } } "
                   "edits { set_parameter { node: \"osc\" parameter: \"gain_db\" value: -30 } } "
                   "edits { rename_node { name: \"vol\" new_name: \"volume\" } } "
                   "edits { disconnect { from: \"osc\" to: \"volume\" } } "
                   "edits { change_settings { node: \"osc\" settings { fields { key: \"channels\" value { "
                   "number_value: 2 } } } } }" +
                       add("x"),
                   kConfirm)));
    EXPECT_OK(call(set("mute", 1, "volume"), 'b'));
    EXPECT_OK(call(set("frequency_hz", 660, "osc"), 'b'));
    EXPECT_OK(call(set("gain_db", -7, "x"), 'b'));
    pass(std::chrono::seconds{30});
    EXPECT_EQ(value("vol", "gain_db"), 0.0F) << "the edit had set it";
    EXPECT_EQ(value("vol", "mute"), 1.0F);
    EXPECT_EQ(value("osc", "gain_db"), -20.0F);
    EXPECT_EQ(value("osc", "frequency_hz"), 660.0F);
    EXPECT_EQ(value("x", "gain_db"), -1e9F);
    EXPECT_EQ(value("volume", "gain_db"), -1e9F);
}

TEST_F(ConfirmationTest, AParameterThatTheEditHasSetAndAnotherLaterStays) {
    EXPECT_OK(call(edits("edits { set_parameter { node: \"vol\" parameter: \"gain_db\" value: -20 } }", kConfirm)));
    EXPECT_OK(call(set("gain_db", -9), 'b'));
    pass(std::chrono::seconds{30});
    EXPECT_EQ(value("vol", "gain_db"), -9.0F);
    EXPECT_FALSE(waits());
    EXPECT_EQ(script.engine.revision(), 2U) << "there was nothing to change";
}

TEST_F(ConfirmationTest, ParametersThatAreValidTogetherOnlyStayTogether) {
    EXPECT_OK(call(edits("edits { add_node { name: \"free\" type: \"biquad\" } }")));
    EXPECT_OK(call(edits(kUnplug, kConfirm)));
    EXPECT_OK(
        call("set_parameters { changes { node: \"free\" parameter: \"a1\" value: 1.2 } changes { node: \"free\" "
             "parameter: \"a2\" value: 0.5 } }",
             'b'));
    pass(std::chrono::seconds{30});
    EXPECT_EQ(value("free", "a1"), 1.2F);
    EXPECT_EQ(value("free", "a2"), 0.5F);
}

TEST_F(ConfirmationTest, AParameterThatStaysIsNotChangedByAnUndoOfOtherSettings) {
    EXPECT_OK(call(edits("edits { set_parameter { node: \"vol\" parameter: \"gain_db\" value: -20 } }", kConfirm)));
    EXPECT_OK(call(set("gain_db", -20), 'b'));
    pass(std::chrono::seconds{30});
    EXPECT_EQ(value("vol", "gain_db"), -20.0F);
    EXPECT_OK(call(
        edits("edits { change_settings { node: \"vol\" settings { fields { key: \"channels\" value { number_value: 2 "
              "} } } } }")));
    EXPECT_OK(call("undo { }"));
    EXPECT_EQ(value("vol", "gain_db"), -20.0F);
}

TEST_F(ConfirmationTest, ParametersThatChangeWhileTheRevertIsPlannedStay) {
    EXPECT_OK(call(
        edits("edits { set_parameter { node: \"vol\" parameter: \"gain_db\" value: -20 } }" + add("x"), kConfirm)));
    for (int i = 0; i < 5; ++i) pass(std::chrono::seconds{1});  // the costs of its nodes are measured
    script.workers.held = true;
    pass(std::chrono::seconds{25});
    ASSERT_EQ(script.workers.jobs.size(), 1U);
    EXPECT_OK(call(set("gain_db", -9), 'b'));
    script.workers.finish(0);
    EXPECT_EQ(script.engine.revision(), 2U) << "the plan would set it back";
    ASSERT_EQ(script.workers.jobs.size(), 1U);
    script.send('b', request("id: 2 " + set("gain_db", -10)));
    settle();
    EXPECT_FALSE(answered('b')) << "it waits for the revert";
    EXPECT_EQ(value("vol", "gain_db"), -9.0F);
    script.workers.finish(0);
    EXPECT_OK(answer('b'));
    EXPECT_EQ(script.engine.revision(), 3U);
    EXPECT_EQ(value("vol", "gain_db"), -10.0F);
    EXPECT_EQ(value("x", "gain_db"), -1e9F);
}

TEST_F(ConfirmationTest, ClientsThatSetParametersWithoutAPauseCannotPostponeTheRevert) {
    for (const bool scheduled : {false, true}) {
        SCOPED_TRACE(scheduled);
        const std::uint64_t revision = script.engine.revision();
        script.daemon.store.saved_revision = revision + 2;
        EXPECT_OK(
            call(edits("edits { rename_node { name: \"vol\" new_name: \"volume\" } } "
                       "edits { rename_node { name: \"osc\" new_name: \"tone\" } }",
                       kConfirm)));
        for (int i = 0; i < 5; ++i) pass(std::chrono::seconds{1});  // the costs of its nodes are measured
        script.workers.held = true;
        pass(std::chrono::seconds{25});
        int plans = 0;
        for (; script.engine.revision() == revision + 1 && plans < 10; ++plans) {
            ASSERT_EQ(script.workers.jobs.size(), 1U);
            const std::string gain = set("gain_db", static_cast<float>(-1 - plans), "volume");
            script.send(
                'b', request("id: 2 " + (scheduled ? gain.substr(0, 17) + "at { in_s: 0 } " + gain.substr(17) : gain)));
            for (int i = 0; i < 20; ++i) {
                script.now += std::chrono::nanoseconds{64 * 1'000'000'000LL / 48'000};
                script.block();
            }
            script.workers.finish(0);
        }
        EXPECT_EQ(plans, 2);
        script.workers.held = false;
        while (!script.workers.jobs.empty()) script.workers.finish(0);
        settle();
        EXPECT_EQ(value("vol", "gain_db"), -1.0F) << "what was set before it was planned again stays";
        EXPECT_EQ(value("osc", "gain_db"), -20.0F);
        EXPECT_FALSE(waits());
        while (const auto message = script.receive('b')) {
            if (message->has_response() && message->response().id() != 2) ADD_FAILURE() << message->ShortDebugString();
        }
        EXPECT_OK(call(set("gain_db", 0), 'b'));
    }
}

TEST_F(ConfirmationTest, FurtherEditsOfItsAuthorAreRevertedTogether) {
    EXPECT_OK(call(edits(add("first"))));
    before = document();
    EXPECT_OK(call(edits(kUnplug, kConfirm)));
    EXPECT_OK(call(edits(add("second"))));
    EXPECT_OK(call("undo { steps: 3 }")) << "also of an earlier step";
    EXPECT_OK(call("redo { }"));
    EXPECT_OK(call(edits(add("third"))));
    EXPECT_OK(call(set("gain_db", -3)));
    EXPECT_OK(call("revert { }"));
    EXPECT_EQ(value("vol", "gain_db"), -3.0F);
    EXPECT_OK(call(set("gain_db", 0)));
    EXPECT_EQ(document(), before);
    const std::string by = " (undone by " + author('a') + ")";
    const std::vector<std::string> steps = history();
    ASSERT_EQ(steps.size(), 7U);
    EXPECT_EQ(steps[1], "set vol.gain_db = -3") << "parameters that were set stay";
    EXPECT_EQ(steps[2], "add third" + by);
    EXPECT_EQ(steps[3], "add second" + by);
    EXPECT_EQ(steps[4], "disconnect vol -> out" + by);
    EXPECT_EQ(steps[5], "add first") << "it is not undone any more";
    EXPECT_OK(call("undo { steps: 2 }")) << "the history fits the graph";
}

TEST_F(ConfirmationTest, ARecallRevertsTheEditOfAnotherOnlyWithForce) {
    EXPECT_EQ(call("save_scene { name: \"day\" }", 'b').status().code(), v1::OK);
    EXPECT_EQ(call(edits(kUnplug, kConfirm)).status().code(), v1::OK);
    const std::string opened = document();
    EXPECT_EQ(call("recall_scene { name: \"day\" }", 'b').status().code(), v1::FAILED_PRECONDITION);
    EXPECT_EQ(call("recall_scene { name: \"night\" force: true }", 'b').status().code(), v1::NOT_FOUND);
    EXPECT_EQ(call("recall_scene { name: \"day\" force: true guard { expected_revision: 1 } }", 'b').status().code(),
              v1::ABORTED);
    for (const char* const bad : {"fade_ms: -1", "max_load: 2", "confirm_within_s: 0", "at { in_s: 5 }"}) {
        EXPECT_EQ(call("recall_scene { name: \"day\" force: true " + std::string{bad} + " }", 'b').status().code(),
                  v1::INVALID_ARGUMENT);
    }
    EXPECT_EQ(document(), opened) << "and nothing was reverted";
    const std::string guard = "guard { expected_revision: " + std::to_string(script.engine.revision()) + " }";
    EXPECT_EQ(
        call("recall_scene { name: \"day\" force: true wait_for_start: true " + guard + " }", 'b').status().code(),
        v1::OK);
    settle();
    EXPECT_EQ(document(), before);
    EXPECT_EQ(kinds(), (std::vector{ConfirmationChanged::OPENED, ConfirmationChanged::REVERTED}));
}

TEST_F(ConfirmationTest, ARecallThatIsRefusedRevertsNothing) {
    EXPECT_OK(call("save_scene { name: \"day\" }", 'b'));
    ASSERT_TRUE(script.dispatcher.services().scenes.restore("bad", R"({"nodes": [{"name": "x", "type": "nothing"}]})"));
    EXPECT_OK(call(edits(kUnplug, kConfirm)));
    const std::string opened = document();
    const std::uint64_t revision = script.engine.revision();
    EXPECT_EQ(call("recall_scene { name: \"day\" force: true max_load: 0.000001 }", 'b').status().code(),
              v1::RESOURCE_EXHAUSTED);
    EXPECT_NE(call("recall_scene { name: \"bad\" force: true }", 'b').status().code(), v1::OK);
    EXPECT_EQ(call("recall_scene { name: \"day\" force: true confirm_within_s: 5 }", 'b').status().code(),
              v1::FAILED_PRECONDITION);
    EXPECT_EQ(call("undo { force: true of_all: true }", 'b').status().code(), v1::FAILED_PRECONDITION);
    settle();
    EXPECT_EQ(document(), opened);
    EXPECT_EQ(script.engine.revision(), revision);
    EXPECT_TRUE(waits());
    EXPECT_EQ(kinds(), std::vector{ConfirmationChanged::OPENED});
}

TEST_F(ConfirmationTest, ARecallAndTheRevertBeforeItAreOneEdit) {
    EXPECT_OK(
        call(edits("edits { set_parameter { node: \"vol\" parameter: \"gain_db\" value: -20 } }" + add("y")), 'b'));
    EXPECT_OK(call("save_scene { name: \"night\" nodes: \"vol\" }", 'b'));
    EXPECT_OK(call("undo { }", 'b'));
    EXPECT_OK(call(edits(add("x")), 'b'));
    before = document();
    EXPECT_OK(
        call(edits("edits { remove_node { name: \"x\" } } edits { set_parameter { node: \"osc\" parameter: "
                   "\"gain_db\" value: -40 } } " +
                       std::string{kUnplug} + add("z"),
                   kConfirm)));
    EXPECT_OK(call(set("gain_db", -3, "out"), 'c')) << "a parameter that was set since stays";
    const std::uint64_t revision = script.engine.revision();
    EXPECT_OK(call("recall_scene { name: \"night\" force: true }", 'b'));
    settle();
    EXPECT_EQ(script.engine.revision(), revision + 1);
    EXPECT_EQ(kinds(), (std::vector{ConfirmationChanged::OPENED, ConfirmationChanged::REVERTED}));
    EXPECT_FALSE(waits());
    EXPECT_EQ(value("vol", "gain_db"), -20.0F);
    EXPECT_EQ(value("osc", "gain_db"), -20.0F) << "as before the edit";
    EXPECT_EQ(value("out", "gain_db"), -3.0F);
    EXPECT_EQ(value("z", "gain_db"), -1e9F);
    const std::vector<std::string> steps = history();
    ASSERT_GE(steps.size(), 3U);
    EXPECT_EQ(steps[0], "recall night");
    EXPECT_NE(steps[2].find("(undone by " + author('b') + ")"), std::string::npos) << steps[2];
    EXPECT_OK(call("undo { }", 'b'));
    EXPECT_OK(call(set("gain_db", 0, "out"), 'c'));
    EXPECT_EQ(document(), before) << "the recall alone is undone";
}

/// The plan counts nodes with other settings that the present graph has already: the ids of its new nodes differ.
TEST_F(ConfirmationTest, ARecallAlsoSetsWhatOthersSetAtANodeThatItsRevertRenamesAndRebuilds) {
    const auto longest = [](int ms) {
        return "settings { fields { key: \"max_time_ms\" value { number_value: " + std::to_string(ms) + " } } }";
    };
    EXPECT_OK(call(edits("edits { add_node { name: \"echo\" type: \"delay_line\" " + longest(200) +
                         " parameters { key: \"time_ms\" value: 100 } } }")));
    before = document();
    EXPECT_OK(call("save_scene { name: \"day\" }", 'b'));
    EXPECT_OK(
        call(edits("edits { rename_node { name: \"echo\" new_name: \"far\" } } edits { change_settings { node: "
                   "\"far\" " +
                       longest(500) + " } }",
                   kConfirm)));
    script.workers.held = true;
    script.play("b> id: 2 recall_scene { name: \"day\" force: true wait_for_start: true }");
    ASSERT_FALSE(script.workers.jobs.empty()) << "it is planned";
    EXPECT_OK(call(set("time_ms", 400, "far"), 'c')) << "longer than the settings before the edit allow";
    ASSERT_EQ(value("far", "time_ms"), 400.0F);
    while (!script.workers.jobs.empty()) script.workers.finish(0);
    script.workers.held = false;
    const v1::Response recalled = answer('b');
    EXPECT_OK(recalled);
    settle();
    EXPECT_EQ(document(), before);
}

TEST_F(ConfirmationTest, NodesThatARecallWithARevertAddsHaveTheirOwnIdentities) {
    EXPECT_OK(call("save_scene { name: \"night\" }", 'b'));
    EXPECT_OK(call(edits("edits { remove_node { name: \"vol\" } } edits { change_settings { node: \"out\" settings { "
                         "fields { key: \"first_channel\" value { number_value: 2 } } } } }"),
                   'b'));
    EXPECT_OK(call("recall_scene { name: \"night\" confirm_within_s: 5 }"));
    EXPECT_OK(call("recall_scene { name: \"night\" force: true }", 'b'));
    settle();
    before = document();
    EXPECT_OK(call(edits(add("x")), 'c'));
    EXPECT_OK(call(edits(add("y")), 'c'));
    EXPECT_OK(call("undo { steps: 2 }", 'c'));
    EXPECT_EQ(document(), before);
}

TEST_F(ConfirmationTest, AnUndoOfLaterParametersIsRevertedToo) {
    EXPECT_OK(call(edits(add("x"), kConfirm)));
    EXPECT_OK(call(set("gain_db", -3, "out"), 'c'));
    EXPECT_OK(call("undo { of_all: true }"));
    EXPECT_EQ(value("out", "gain_db"), 0.0F);
    EXPECT_OK(call("revert { }"));
    settle();
    EXPECT_EQ(value("out", "gain_db"), -3.0F);
    const std::vector<std::string> steps = history();
    ASSERT_FALSE(steps.empty());
    EXPECT_EQ(steps[0].find("undone"), std::string::npos) << steps[0];
}

TEST_F(ConfirmationTest, UndoAndRedoCanBeConfirmed) {
    script.daemon.store.saved_revision = 1'000;
    EXPECT_OK(call(edits(add("x"))));
    const std::string with_x = document();
    const v1::Response undo = call("undo { confirm_within_s: 5 }");
    EXPECT_OK(undo);
    EXPECT_EQ(undo.undo().confirmation().left_s(), 5.0);
    EXPECT_EQ(document(), before);
    pass(std::chrono::seconds{5});
    EXPECT_EQ(document(), with_x);
    EXPECT_EQ(history()[0], "add x");
    EXPECT_OK(call("undo { }"));
    const v1::Response redo = call("redo { confirm_within_s: 5 }");
    EXPECT_OK(redo);
    EXPECT_TRUE(redo.redo().has_confirmation());
    pass(std::chrono::seconds{5});
    EXPECT_EQ(document(), before);
    EXPECT_EQ(history()[0], "add x (undone by " + author('a') + ")");
    EXPECT_OK(call("redo { }"));
    EXPECT_EQ(document(), with_x);
    for (const std::string request : {"undo { confirm_within_s: 0 }", "redo { confirm_within_s: 601 }"})
        EXPECT_EQ(call(request).status().code(), v1::INVALID_ARGUMENT);
}

TEST_F(ConfirmationTest, InvalidTimesAreRefused) {
    EXPECT_EQ(call(edits(kUnplug, "confirm_within_s: 0")).status().message(),
              "confirm_within_s is 0: expected 1 to 600");
    EXPECT_EQ(call(edits(kUnplug, "confirm_within_s: 601")).status().code(), v1::INVALID_ARGUMENT);
    EXPECT_EQ(call(edits(kUnplug, "at { in_s: 1 } confirm_within_s: 1")).status().code(), v1::INVALID_ARGUMENT);
    EXPECT_EQ(document(), before);
    EXPECT_EQ(script.daemon.confirmation_saves, 0);
}

// ---------------------------------------------------------------------------------------------------------------------
// What is saved

TEST_F(ConfirmationTest, WhatTheRevertNeedsIsSavedBeforeTheEdit) {
    script.daemon.holds_saves = true;
    script.send('a', request("id: 2 " + edits(kUnplug, kConfirm)));
    script.send('b', request("id: 2 " + edits(add("x"))));
    settle();
    EXPECT_EQ(script.engine.revision(), 1U);
    EXPECT_FALSE(answered('b')) << "it waits: its edit would not be in the graph of the revert";
    script.daemon.finish_save();
    ASSERT_TRUE(script.daemon.confirmation);
    const auto saved = SavedConfirmation::read(*script.daemon.confirmation);
    ASSERT_TRUE(saved);
    EXPECT_EQ(saved->document, before);
    EXPECT_EQ(saved->author, author('a'));
    EXPECT_EQ(saved->summary, "disconnect vol -> out") << "a crash may follow at any time";
    EXPECT_EQ(saved->within_s, 30U);
    EXPECT_EQ(saved->until_utc_us, script.daemon.utc + 30'000'000);
    EXPECT_OK(answer('a'));
    EXPECT_EQ(answer('b').status().code(), v1::FAILED_PRECONDITION);
    EXPECT_EQ(script.engine.revision(), 2U);
}

TEST_F(ConfirmationTest, WithoutADiskTheEditIsRefused) {
    script.daemon.disk_is_full = true;
    const v1::Response response = call(edits(kUnplug, kConfirm));
    EXPECT_EQ(response.status().code(), v1::UNAVAILABLE);
    EXPECT_EQ(document(), before);
    EXPECT_OK(call(edits(add("x")), 'b')) << "nothing waits";
    script.daemon.disk_is_full = false;
    pass(std::chrono::seconds{2});
    EXPECT_EQ(script.daemon.confirmation, std::nullopt);
}

TEST_F(ConfirmationTest, ARefusedEditLeavesNothingBehind) {
    EXPECT_EQ(call(edits("edits { remove_node { name: \"nope\" } }", kConfirm)).status().code(), v1::NOT_FOUND);
    settle();
    EXPECT_EQ(script.daemon.confirmation, std::nullopt);
    EXPECT_OK(call(edits(add("x")), 'b'));
    EXPECT_FALSE(waits());
}

TEST_F(ConfirmationTest, AClientThatVanishesWhileItIsSavedLeavesNothingBehind) {
    script.daemon.holds_saves = true;
    script.send('b', request("id: 2 " + edits(kUnplug, kConfirm)));
    script.send('c', request("id: 2 " + edits(add("x"))));
    settle();
    script.disconnect('b');
    EXPECT_OK(answer('c'));
    while (!script.daemon.held_saves.empty()) script.daemon.finish_save();
    pass(std::chrono::seconds{1});
    while (!script.daemon.held_saves.empty()) script.daemon.finish_save();
    EXPECT_EQ(script.daemon.confirmation, std::nullopt);
    EXPECT_EQ(value("x", "gain_db"), 0.0F);
}

TEST_F(ConfirmationTest, AConfirmationThatCannotBeSavedDoesNotCount) {
    EXPECT_OK(call(edits(kUnplug, kConfirm)));
    script.daemon.disk_is_full = true;
    EXPECT_EQ(call("confirm { }").status().code(), v1::UNAVAILABLE);
    EXPECT_TRUE(waits());
    script.daemon.disk_is_full = false;
    pass(std::chrono::seconds{2});
    EXPECT_NE(script.daemon.confirmation, std::nullopt);
    pass(std::chrono::seconds{28});
    EXPECT_EQ(document(), before);
}

TEST_F(ConfirmationTest, AConfirmationWaitsUntilTheEditIsOnTheDisk) {
    script.daemon.store.saved_revision = 1;
    EXPECT_OK(call(edits(kUnplug, kConfirm)));
    script.send('b', request("id: 2 confirm { }"));
    pass(std::chrono::seconds{1});
    EXPECT_FALSE(answered('b'));
    EXPECT_NE(script.daemon.confirmation, std::nullopt) << "a crash would lose the edit, and must not lose this";
    EXPECT_EQ(call("confirm { }", 'c').status().code(), v1::FAILED_PRECONDITION);
    script.daemon.store.saved_revision = 2;
    pass(std::chrono::milliseconds{10});
    EXPECT_OK(answer('b'));
    EXPECT_EQ(script.daemon.confirmation, std::nullopt);
    EXPECT_FALSE(waits());
}

TEST_F(ConfirmationTest, AnEditThatIsNotOnTheDiskCannotBeConfirmed) {
    script.daemon.store.saved_revision = 1;
    script.daemon.store.error = "the disk is broken";
    EXPECT_OK(call(edits(kUnplug, kConfirm)));
    script.send('b', request("id: 2 confirm { }"));
    settle();
    EXPECT_FALSE(answered('b'));
    pass(std::chrono::seconds{10});
    const v1::Response refused = answer('b');
    EXPECT_EQ(refused.status().code(), v1::UNAVAILABLE);
    EXPECT_EQ(refused.status().message(), "the edit is not on the disk: the disk is broken; it waits as before");
    EXPECT_TRUE(waits());
    pass(std::chrono::seconds{1});
    EXPECT_NE(script.daemon.confirmation, std::nullopt);
    // Clients that try again and again do not postpone the revert.
    pass(std::chrono::seconds{9});
    script.send('b', request("id: 2 confirm { }"));
    pass(std::chrono::seconds{9});
    pass(std::chrono::seconds{1});
    EXPECT_EQ(answer('b').status().code(), v1::UNAVAILABLE);
    EXPECT_EQ(call("confirm { }", 'b').status().code(), v1::FAILED_PRECONDITION);
    settle();
    EXPECT_EQ(document(), before);
}

TEST_F(ConfirmationTest, ARevertThatChangesNothingIsDurable) {
    EXPECT_OK(call(edits("edits { set_parameter { node: \"vol\" parameter: \"gain_db\" value: -20 } }", kConfirm)));
    EXPECT_OK(call(set("gain_db", -9), 'b'));
    script.daemon.recording = true;
    script.send('b', request("id: 2 revert { wait_for_start: true }"));
    settle();
    EXPECT_FALSE(answered('b'));
    ASSERT_EQ(script.daemon.records.size(), 1U) << "the steps that were undone";
    script.daemon.records.front().done(true);
    const v1::Response response = answer('b');
    EXPECT_OK(response);
    EXPECT_TRUE(response.revert().durable());
    EXPECT_EQ(response.revert().revision(), 2U);
    EXPECT_EQ(response.revert().steps_size(), 1);
}

TEST_F(ConfirmationTest, TheFileStaysUntilTheRevertIsOnTheDisk) {
    EXPECT_OK(call(edits(kUnplug, kConfirm)));
    script.daemon.store.saved_revision = 2;
    pass(std::chrono::seconds{30});
    EXPECT_EQ(document(), before);
    pass(std::chrono::seconds{5});
    EXPECT_NE(script.daemon.confirmation, std::nullopt);
    script.daemon.store.saved_revision = 3;
    pass(std::chrono::milliseconds{100});
    EXPECT_EQ(script.daemon.confirmation, std::nullopt);
}

TEST_F(ConfirmationTest, AnotherEditWaitsUntilTheRevertIsOnTheDisk) {
    script.daemon.store.saved_revision = 2;
    EXPECT_OK(call(edits(kUnplug, kConfirm)));
    EXPECT_OK(call("revert { }"));
    script.send('b', request("id: 2 " + edits(kUnplug, kConfirm)));
    settle();
    EXPECT_FALSE(answered('b')) << "there is one file";
    EXPECT_OK(call(edits(add("x"))));
    script.daemon.store.saved_revision = 4;
    pass(std::chrono::milliseconds{100});
    EXPECT_OK(answer('b'));
    EXPECT_TRUE(waits());
}

TEST_F(ConfirmationTest, ARevertBringsBackTheNodesThemselves) {
    EXPECT_OK(call(edits(add("x"))));
    EXPECT_OK(call(set("gain_db", -1, "x")));
    before = document();
    const NodeIdentity identity = script.engine.graph().find("x")->identity;
    EXPECT_OK(call(edits("edits { remove_node { name: \"x\" } }", kConfirm)));
    EXPECT_OK(call(edits(add("x"))));
    EXPECT_NE(script.engine.graph().find("x")->identity, identity);
    EXPECT_OK(call(set("gain_db", -2, "x")));
    EXPECT_OK(call("revert { }"));
    EXPECT_EQ(document(), before) << "-2 dB was set for the other node";
    EXPECT_EQ(script.engine.graph().find("x")->identity, identity);
    EXPECT_OK(call("redo { steps: 2 }"));
    EXPECT_EQ(value("x", "gain_db"), -2.0F) << "the parameter stays, too";
    EXPECT_OK(call("undo { steps: 3 }"));
    EXPECT_EQ(document(), before);
    EXPECT_OK(call("undo { steps: 2 }"));
    EXPECT_EQ(script.engine.graph().find("x"), nullptr);
}

TEST_F(ConfirmationTest, ParametersAndFurtherEditsAreSavedSoon) {
    EXPECT_OK(call(edits(kUnplug, kConfirm)));
    EXPECT_OK(call(set("gain_db", -3), 'b'));
    EXPECT_OK(call(edits(add("x"))));
    pass(std::chrono::milliseconds{500});
    const auto saved = SavedConfirmation::read(*script.daemon.confirmation);
    ASSERT_TRUE(saved);
    EXPECT_NE(saved->document, before);
    EXPECT_NE(saved->document.find("-3"), std::string::npos);
    EXPECT_EQ(saved->summary, "disconnect vol -> out");
    EXPECT_EQ(saved->mark.next_number, 2U);
    EXPECT_EQ(saved->key, script.dispatcher.services().history.open_edit()) << "the history tells whether it is there";
    for (const auto& node : script.engine.graph().nodes()) {
        const auto known = saved->identities.find(node->name());
        EXPECT_EQ(known != saved->identities.end(), node->name() != "x");
        if (known == saved->identities.end()) continue;
        EXPECT_EQ(known->second, node->identity);
    }
}

TEST(SavedConfirmation, IsReadAsItWasWritten) {
    const SavedConfirmation saved{.until_utc_us = -5,
                                  .within_s = 600,
                                  .author = "uid\n1",
                                  .client_name = "\"x\"",
                                  .summary = "add x",
                                  .key = 1'700'000'000'000'000,
                                  .mark = {.next_number = 12, .undone = {{7, "b", true}, {3, "", false}}},
                                  .identities = {{"a", NodeIdentity{4}}, {"x_1", NodeIdentity{1}}},
                                  .document = "{\n}\n"};
    const std::string written = saved.write();
    const auto read = SavedConfirmation::read(written);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->write(), written);
    EXPECT_EQ(read->author, saved.author);
    EXPECT_EQ(read->key, saved.key);
    EXPECT_EQ(read->identities, saved.identities);
    EXPECT_EQ(read->document, saved.document);
    ASSERT_EQ(read->mark.undone.size(), 2U);
    EXPECT_EQ(read->mark.undone[1].number, 3U);
    for (const std::string damaged : {"", "x", "1 2\n", "1 2 3 4 0\n\xff", "1 2 3 4 1\na b\n", "1 2 3 4 9\n"})
        EXPECT_EQ(SavedConfirmation::read(damaged).error().code, ErrorCode::invalid_argument);
}

TEST_F(ConfirmationTest, ARestartContinuesWithTheTimeLeft) {
    EXPECT_OK(call(edits(kUnplug, kConfirm)));
    pass(std::chrono::seconds{10});
    const auto saved = SavedConfirmation::read(*script.daemon.confirmation);
    Script second;
    second.connect('b', {.door = Entry::Door::unix_socket, .user_id = 2});
    second.play("hello b\n" + tone('b'));
    const AudioGraph target = second.engine.graph();
    second.play("b> id: 2 " + edits(kUnplug) + "\n");
    for (int i = 0; i < 50; ++i) second.block();
    second.dispatcher.services().confirmation.restore(*saved, target, std::chrono::seconds{20});
    second.play("b< response { id: 2 }\n");
    second.play("b> id: 3 " + edits(add("x")) + "\nb< response { id: 3 status { code: FAILED_PRECONDITION } }\n");
    second.play(
        "b> id: 4 get_status { }\nb< response { id: 4 get_status { confirmation { id: 1 revision: 0 left_s: 20 } } }\n");
    second.tick(std::chrono::milliseconds{19'999});
    EXPECT_EQ(second.engine.revision(), 2U);
    second.tick(std::chrono::milliseconds{1});
    for (int i = 0; i < 50; ++i) second.block();
    EXPECT_EQ(text(second.engine.graph()), before);
}

TEST_F(ConfirmationTest, ARevertOfAnySizeIsOneTransaction) {
    const std::string words(4'000, 'w');
    for (int part = 0; part < 11; ++part) {
        std::string list;
        for (int i = 0; i < 100; ++i) {
            const std::string name = "n" + std::to_string(part) + "_" + std::to_string(i);
            list += "edits { add_node { name: \"" + name + "\" type: \"gain\" description: \"" + words + "\" } } ";
        }
        EXPECT_OK(call(edits(list)));
    }
    before = document();
    EXPECT_OK(call("apply_transaction { graph { } confirm_within_s: 30 }"));
    const std::uint64_t revision = script.engine.revision();
    pass(std::chrono::seconds{30});
    EXPECT_EQ(document(), before);
    EXPECT_EQ(script.engine.revision(), revision + 1);
    ASSERT_GE(events.size(), 2U);
    const auto reported = std::ranges::find_if(
        events, [&](const v1::Event& event) { return event.graph_changed().revision() == revision + 1; });
    ASSERT_NE(reported, events.end());
    ASSERT_EQ(reported->graph_changed().edits_size(), 1);
    EXPECT_EQ(reported->graph_changed().edits(0).edit_case(), v1::Edit::EDIT_NOT_SET)
        << "its mirror must read the graph again";
}

bool file_is_missing = false;

/// A node that cannot be built while its file is missing.
class FileProcessor final : public Processor {
 public:
    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        for (float& sample : context.outputs[0].channel(0)) sample = 0.0F;
    }
};
constexpr PortSpec kFileOut[] = {{"out", 1}};
constinit const NodeType kFile{
    .name = "file",
    .help = "Needs a file.",
    .outputs = kFileOut,
    .create = [](const BuildContext&) -> Expected<std::unique_ptr<Processor>> {
        if (file_is_missing) return fail(ErrorCode::unavailable, "the file is missing");
        return std::make_unique<FileProcessor>();
    },
};

TEST(ConfirmationFailure, AnEditThatCannotBeRevertedWaitsForItsTimeAndThenStays) {
    const NodeType* const types[] = {&kFile, builtin_nodes().find("output")};
    const NodeRegistry registry{types};
    Script script{registry};
    file_is_missing = false;
    script.play(
        "hello a\n"
        "a> id: 1 apply_transaction { edits { edits { add_node { name: \"f\" type: \"file\" } } } }\n"
        "a< response { id: 1 }\n"
        "a> id: 2 subscribe { topics: TOPIC_CHANGES }\na< response { id: 2 }\n"
        "a> id: 3 apply_transaction { confirm_within_s: 9 edits { edits { remove_node { name: \"f\" } } } }\n"
        "a< event { graph_changed { revision: 2 } }\n"
        "a< event { confirmation_changed { what: OPENED } }\na< response { id: 3 }\n");
    file_is_missing = true;
    script.play(
        "a> id: 4 revert { }\na< response { id: 4 status { code: UNAVAILABLE } }\n"
        "a> id: 5 get_status { }\na< response { id: 5 get_status { confirmation { id: 1 } } }\n"
        "tick 8999\na-\ntick 1\n"
        "a< event { confirmation_changed { what: FAILED error { code: UNAVAILABLE } confirmation { id: 1 } } }\n"
        "a> id: 6 confirm { }\na< response { id: 6 status { code: FAILED_PRECONDITION } }\n"
        "tick 1000\n");
    EXPECT_EQ(script.engine.revision(), 2U);
    EXPECT_EQ(script.daemon.confirmation, std::nullopt);
    ASSERT_EQ(script.daemon.warnings.size(), 2U);
    EXPECT_NE(script.daemon.warnings[1].find("cannot be reverted, and stays: "), std::string::npos);
}

// ---------------------------------------------------------------------------------------------------------------------
// Random edits of eight clients

/// The graph by names, and the graph after a revert.
class Model {
 public:
    struct Graph {
        std::map<std::string, float> gains{};
        std::set<std::pair<std::string, std::string>> connections{};
        std::map<std::string, int> identities{};

        [[nodiscard]] bool operator==(const Graph& other) const {
            return gains == other.gains && connections == other.connections;
        }
        void add(const std::string& node, int identity) {
            gains[node] = 0.0F;
            identities[node] = identity;
        }
    };

    static Graph of(const AudioGraph& graph) {
        Graph found;
        for (const GraphDocument::Node& node : graph.document().nodes)
            found.gains.emplace(node.name, node.parameters.at("gain_db"));
        for (const GraphDocument::Connection& connection : graph.document().connections)
            found.connections.emplace(connection.from, connection.to);
        return found;
    }

    void open(char author) {
        kept = present;
        owner = author;
    }
    void close() { owner.reset(); }
    void revert() {
        present = kept;
        close();
    }
    void set(const std::string& node, float value) {
        present.gains.at(node) = value;
        const auto known = kept.gains.find(node);
        // Another node may have had the name.
        if (owner && known != kept.gains.end() && kept.identities.at(node) == present.identities.at(node))
            known->second = value;
    }

    Graph present;
    Graph kept;
    std::optional<char> owner;  ///< of the edit that waits
};

/// One random transaction: its text, and what it makes of a graph.
struct RandomTransaction {
    std::string text;
    Model::Graph result;

    RandomTransaction(Model::Graph graph, std::mt19937& random) : result{std::move(graph)} {
        const auto roll = [&](std::size_t most) { return std::uniform_int_distribution<std::size_t>{0, most}(random); };
        for (std::size_t i = 0; i <= roll(2); ++i) {
            const std::string a = "n" + std::to_string(roll(4));
            const std::string b = "n" + std::to_string(5 + roll(4));
            const bool both = result.gains.contains(a) && result.gains.contains(b);
            if (!result.gains.contains(a)) {
                text += "edits { add_node { name: \"" + a + "\" type: \"gain\" } } ";
                add(a);
            } else if (!result.gains.contains(b)) {
                text += "edits { add_node { name: \"" + b + "\" type: \"gain\" } } ";
                add(b);
            } else if (roll(3) == 0) {
                text += "edits { remove_node { name: \"" + a + "\" } } ";
                result.gains.erase(a);
                removed[a] = result.identities.at(a);
                std::erase_if(result.connections, [&](const auto& connection) { return connection.first == a; });
            } else if (roll(2) == 0) {
                const auto value = static_cast<float>(roll(20));
                text += "edits { set_parameter { node: \"" + b +
                        "\" parameter: \"gain_db\" value: " + std::to_string(value) + " } } ";
                result.gains[b] = value;
            } else if (both && !result.connections.contains({a, b})) {
                text += "edits { connect { from: \"" + a + "\" to: \"" + b + "\" } } ";
                result.connections.emplace(a, b);
            } else {
                text += "edits { disconnect { from: \"" + a + "\" to: \"" + b + "\" } } ";
                result.connections.erase({a, b});
            }
        }
    }

 private:
    /// A node that is removed and added in the same transaction is the same one.
    void add(const std::string& node) {
        static int next = 1;
        const auto known = removed.find(node);
        result.add(node, known != removed.end() ? known->second : next++);
    }

    std::map<std::string, int> removed;
};

TEST_F(ConfirmationTest, RandomEditsOfEightClientsAgreeWithTheModel) {
    const std::string names = "abcdefgh";
    for (const char name : std::string{"defgh"}) greet(name);
    EXPECT_OK(call("apply_transaction { graph { } }"));
    script.daemon.store.saved_revision = 1'000'000;
    Model model;
    std::mt19937 random{20'261'130};
    const auto roll = [&](std::size_t most) { return std::uniform_int_distribution<std::size_t>{0, most}(random); };
    std::chrono::milliseconds left{};
    int opened = 0;
    int reverted = 0;
    for (int step = 0; step < 1'500; ++step) {
        SCOPED_TRACE(step);
        const char client = names[roll(7)];
        switch (roll(9)) {
            case 0:
            case 1:
                if (!model.present.gains.empty()) {
                    auto node = model.present.gains.begin();
                    std::advance(node, roll(model.present.gains.size() - 1));
                    const std::string name = node->first;
                    const auto gain = -static_cast<float>(roll(60));
                    EXPECT_OK(call(set("gain_db", gain, name), client));
                    model.set(name, gain);
                }
                break;
            case 2:
                EXPECT_EQ(call("confirm { }", client).status().code(), model.owner ? v1::OK : v1::FAILED_PRECONDITION);
                model.close();
                break;
            case 3: {
                const bool waited = model.owner.has_value();
                EXPECT_EQ(call("revert { }", client).status().code(), waited ? v1::OK : v1::FAILED_PRECONDITION);
                if (waited) model.revert();
                break;
            }
            case 4: {
                const std::chrono::milliseconds time{100 * static_cast<int>(roll(20))};
                pass(time);
                left -= time;
                if (model.owner && left <= std::chrono::milliseconds{0}) {
                    ++reverted;
                    model.revert();
                }
                break;
            }
            default: {
                const bool opens = roll(2) == 0;
                const RandomTransaction transaction{model.present, random};
                const v1::Response response = call("apply_transaction { edits { " + transaction.text + " } " +
                                                       (opens ? "confirm_within_s: 3" : "") + " }",
                                                   client);
                if (model.owner && (opens || *model.owner != client)) {
                    EXPECT_EQ(response.status().code(), v1::FAILED_PRECONDITION);
                    break;
                }
                EXPECT_OK(response);
                if (opens) {
                    ++opened;
                    model.open(client);
                    left = std::chrono::seconds{3};
                }
                model.present = transaction.result;
            }
        }
        settle();
        ASSERT_EQ(Model::of(script.engine.graph()), model.present);
        ASSERT_EQ(script.daemon.confirmation.has_value(), model.owner.has_value());
    }
    EXPECT_GT(opened, 100);
    EXPECT_GT(reverted, 3);
}

}  // namespace
}  // namespace rta::api::test
