// SPDX-License-Identifier: MIT
// Scenes: saved, recalled, renamed and removed; what a recall changes, against a model; preparation.
#include "api/scenes/scenes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "api/convert.h"
#include "api/scenes/recall_plan.h"
#include "api/scenes/scene_content.h"
#include "document/document.h"
#include "graph/port_text.h"
#include "script.h"
#include "support/random_edits.h"

namespace rta::api::test {
namespace {

using rta::test::RandomEdit;
using rta::test::RandomEdits;

class ScenesTest : public ::testing::Test {
 protected:
    v1::Response call(v1::Request message, char client = 'a') {
        message.set_id(++id);
        script.send(client, message);
        // Transactions wait for room, and for earlier ones to start.
        for (int blocks = 0; blocks < 3'000; ++blocks) {
            while (auto received = script.receive(client)) {
                if (received->has_response()) return received->response();
                events.push_back(received->event());
            }
            script.block();
        }
        ADD_FAILURE() << "no response to " << message.ShortDebugString();
        return {};
    }
    v1::Response call(std::string_view text, char client = 'a') { return call(request(text), client); }

    v1::Response save(const std::string& name, const std::vector<std::string>& nodes = {}) {
        v1::Request message;
        message.mutable_save_scene()->set_name(name);
        for (const std::string& node : nodes) message.mutable_save_scene()->add_nodes(node);
        return call(message);
    }
    v1::Response recall(const std::string& name, char client = 'a') {
        v1::Request message;
        message.mutable_recall_scene()->set_name(name);
        return call(message, client);
    }
    void apply(const std::vector<Edit>& edits) {
        v1::Request message;
        for (const Edit& edit : edits)
            to_wire(edit, *message.mutable_apply_transaction()->mutable_edits()->add_edits());
        const v1::Response response = call(message);
        ASSERT_EQ(response.status().code(), v1::OK) << response.status().message();
    }
    void set(const std::string& node, const std::string& parameter, float value) {
        v1::Request message;
        v1::SetParameter& change = *message.mutable_set_parameters()->add_changes();
        change.set_node(node);
        change.set_parameter(parameter);
        change.set_value(value);
        ASSERT_EQ(call(message).status().code(), v1::OK);
    }
    void undo() { ASSERT_EQ(call("undo { steps: 1 }").status().code(), v1::OK); }
    /// Lets a worker finish what it does for a request; false: no worker does anything for one.
    bool finish_request() {
        const auto job = std::ranges::find(script.workers.jobs, Workers::Lane::requests, &FakeWorkers::Job::lane);
        if (job == script.workers.jobs.end()) return false;
        script.workers.finish(static_cast<std::size_t>(job - script.workers.jobs.begin()));
        return true;
    }
    /// Client `b` commits this edit while the recall of `a`, which a worker plans, waits.
    void edit_in_the_meantime(const std::string& edit) {
        script.play("b> id: 3 apply_transaction { edits { edits { " + edit + " } } }");
        script.workers.finish(script.workers.jobs.size() - 1);
        script.play("b< response { id: 3 apply_transaction { } }\nblock");
    }
    /// Lets the scenes be prepared.
    void prepare() { script.tick(std::chrono::seconds{1}); }

    [[nodiscard]] GraphDocument document() const { return script.engine.graph().document(); }
    [[nodiscard]] std::string text() const { return write_document(document()); }
    [[nodiscard]] float value(std::string_view node, std::string_view parameter) const {
        const auto place = script.engine.graph().find_parameter(node, parameter);
        return place ? script.engine.graph().find(place->node)->parameters[place->index] : -1'000.0F;
    }
    [[nodiscard]] NodeId id_of(std::string_view node) const { return script.engine.graph().find(node)->id; }
    v1::SceneInfo info(const std::string& name) {
        const v1::Response response = call("list_scenes {}");
        for (const v1::SceneInfo& scene : response.list_scenes().scenes()) {
            if (scene.name() == name) return scene;
        }
        ADD_FAILURE() << "no scene " << name;
        return {};
    }

    Script script;
    std::vector<v1::Event> events;
    std::uint64_t id = 1'000;
};

TEST_F(ScenesTest, ARecallRestoresNodesConnectionsAndParametersAsOneStepThatUndoTakesBack) {
    script.play("hello a\n" + tone());
    const std::string day = text();
    EXPECT_EQ(save("day").save_scene().scene().node_count(), 3U);
    apply({Disconnect{"osc", "vol"}, RemoveNode{"osc"}, AddNode{"noise", "hiss", {}, {}}, Connect{"hiss", "vol", -6.0F},
           SetParameter{"vol", "gain_db", -12.0F, {}}});
    set("out", "gain_db", -3.0F);
    const std::string night = text();
    const NodeId vol = id_of("vol");
    const v1::Response recalled = recall("day");
    ASSERT_EQ(recalled.status().code(), v1::OK) << recalled.status().message();
    EXPECT_EQ(recalled.recall_scene().transaction().revision(), script.engine.revision());
    EXPECT_EQ(text(), day);
    EXPECT_EQ(id_of("vol"), vol) << "it continues";
    const v1::Response history = call("get_history { steps: 1 }");
    ASSERT_EQ(history.get_history().steps_size(), 1);
    EXPECT_EQ(history.get_history().steps(0).summary(), "recall day");
    EXPECT_EQ(history.get_history().steps(0).revision(), script.engine.revision());
    undo();
    EXPECT_EQ(text(), night);
    ASSERT_EQ(call("redo { steps: 1 }").status().code(), v1::OK);
    EXPECT_EQ(text(), day);
}

TEST_F(ScenesTest, EveryClientIsToldAndTheGraphChangedPrecedes) {
    script.play("hello a\nhello b\n" + tone() + R"(
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe { } }
        a> id: 2 save_scene { name: "day" }
        a< response { id: 2 save_scene { scene { name: "day" node_count: 3 } } }
        b< event { scene_changed { what: SAVED scene { name: "day" node_count: 3 } client_name: "a" } }
        a> id: 3 set_parameters { changes { node: "vol" parameter: "gain_db" value: -3 } }
        block
        a< response { id: 3 set_parameters { } }
        b< event { parameters_changed { } }
        a> id: 4 recall_scene { name: "day" fade_ms: 500 }
        a< response { id: 4 recall_scene { transaction { revision: 2 } was_prepared: true } }
        b< event { graph_changed { revision: 2 edits { set_parameter { node: "vol" parameter: "gain_db" value: 0 ramp_ms: 500 } } } }
        b< event { scene_changed { what: RECALLED scene { name: "day" } revision: 2 client_name: "a" } }
        block
        b< event { transaction_heard { revision: 2 } }
        a> id: 5 rename_scene { name: "day" new_name: "noon" }
        a< response { id: 5 rename_scene { scene { name: "noon" } } }
        b< event { scene_changed { what: RENAMED scene { name: "noon" } old_name: "day" } }
        a> id: 6 remove_scene { name: "noon" }
        a< response { id: 6 remove_scene { scene { name: "noon" } } }
        b< event { scene_changed { what: REMOVED scene { name: "noon" } } }
        a> id: 7 list_scenes {}
        a< response { id: 7 list_scenes { } }
        b-
    )");
}

TEST_F(ScenesTest, WhatCannotBeDoneIsRefusedAndChangesNothing) {
    script.play("hello a\n" + tone());
    const std::string before = text();
    EXPECT_EQ(save("1st").status().code(), v1::INVALID_ARGUMENT);
    EXPECT_EQ(save("").status().code(), v1::INVALID_ARGUMENT);
    EXPECT_EQ(save("../x").status().code(), v1::INVALID_ARGUMENT);
    EXPECT_EQ(save("day", {"osc", "missing"}).status().code(), v1::NOT_FOUND);
    EXPECT_EQ(recall("day").status().message(), "unknown scene \"day\": no scene is saved");
    EXPECT_EQ(recall("day").status().code(), v1::NOT_FOUND);
    ASSERT_EQ(save("day").status().code(), v1::OK);
    ASSERT_EQ(save("night").status().code(), v1::OK);
    EXPECT_NE(recall("dya").status().message().find("did you mean \"day\"?"), std::string::npos);
    EXPECT_EQ(call("rename_scene { name: 'day' new_name: 'night' }").status().code(), v1::ALREADY_EXISTS);
    EXPECT_EQ(call("rename_scene { name: 'noon' new_name: 'x' }").status().code(), v1::NOT_FOUND);
    EXPECT_EQ(call("rename_scene { name: 'day' new_name: '-' }").status().code(), v1::INVALID_ARGUMENT);
    EXPECT_EQ(call("remove_scene { name: 'noon' }").status().code(), v1::NOT_FOUND);
    EXPECT_EQ(call("get_scene { name: 'noon' }").status().code(), v1::NOT_FOUND);
    for (const char* const fade : {"-1", "600001", "nan", "inf"}) {
        EXPECT_EQ(call("recall_scene { name: 'day' fade_ms: " + std::string{fade} + " }").status().code(),
                  v1::INVALID_ARGUMENT)
            << fade;
    }
    EXPECT_EQ(call("recall_scene { name: 'day' guard { expected_revision: 7 } }").status().code(), v1::ABORTED);
    EXPECT_EQ(text(), before);
    EXPECT_EQ(script.engine.revision(), 1U);
}

TEST_F(ScenesTest, TheNumberAndTheMemoryOfScenesAreLimited) {
    ClientLimits limits;
    limits.scenes = {.scenes = 2, .bytes = 4'096};
    Script limited{builtin_nodes(), {}, limits};
    limited.play("hello a\n" + tone() + R"(
        a> id: 2 save_scene { name: "a" }
        a< response { id: 2 save_scene { } }
        a> id: 3 save_scene { name: "b" nodes: "vol" }
        a< response { id: 3 save_scene { scene { partial: true node_count: 1 } } }
        a> id: 4 save_scene { name: "c" }
        a< response { id: 4 status { code: RESOURCE_EXHAUSTED } }
        a> id: 5 save_scene { name: "b" }
        a< response { id: 5 save_scene { scene { node_count: 3 } } }
    )");
    v1::Request message = request("id: 6 apply_transaction { edits { } }");
    for (int i = 0; i < 100; ++i) {
        v1::Node& node = *message.mutable_apply_transaction()->mutable_edits()->add_edits()->mutable_add_node();
        node.set_type("gain");
        node.set_name("gain_" + std::to_string(i));
    }
    limited.send('a', message);
    limited.play(R"(
        a< response { id: 6 apply_transaction { } }
        a> id: 7 save_scene { name: "b" }
        a< response { id: 7 status { code: RESOURCE_EXHAUSTED } }
        a> id: 8 get_scene { name: "b" }
        a< response { id: 8 get_scene { scene { node_count: 3 } } }
    )");
}

TEST_F(ScenesTest, ASceneOfSomeNodesLeavesAllOthersAndTheirConnections) {
    script.play("hello a\n" + tone());
    apply({AddNode{"gain", "aux", {}, {}}, Connect{"vol", "aux", -20.0F}});
    ASSERT_TRUE(save("loud", {"vol", "aux"}).save_scene().scene().partial());
    set("vol", "gain_db", -30.0F);
    set("osc", "gain_db", -40.0F);
    apply({RemoveNode{"aux"}, AddNode{"sine", "other", {}, {}}, Connect{"other", "out", {}}});
    ASSERT_EQ(recall("loud").status().code(), v1::OK);
    EXPECT_EQ(value("vol", "gain_db"), 0.0F);
    EXPECT_EQ(value("osc", "gain_db"), -40.0F) << "it does not belong to the scene";
    EXPECT_NE(script.engine.graph().find("other"), nullptr);
    std::set<std::pair<std::string, std::string>> connections;
    for (const auto& connection : document().connections) connections.emplace(connection.from, connection.to);
    EXPECT_EQ(connections, (std::set<std::pair<std::string, std::string>>{
                               {"osc", "vol"}, {"vol", "out"}, {"other", "out"}, {"vol", "aux"}}));
}

TEST_F(ScenesTest, ADryRunShowsWhatTheRecallThenChanges) {
    script.play("hello a\n" + tone());
    ASSERT_EQ(save("day").status().code(), v1::OK);
    apply({RemoveNode{"osc"}, SetParameter{"vol", "gain_db", -12.0F, {}}});
    const std::string before = text();
    const v1::SceneResult scene = call("get_scene { name: 'day' with_diff: true with_graph: true }").get_scene();
    EXPECT_EQ(text(), before);
    EXPECT_EQ(scene.revision(), script.engine.revision());
    EXPECT_EQ(scene.graph().nodes_size(), 3);
    ASSERT_EQ(scene.diff_size(), 3) << scene.ShortDebugString();
    std::vector<Edit> edits;
    v1::Request message;
    *message.mutable_apply_transaction()->mutable_edits()->mutable_edits() = scene.diff();
    ASSERT_EQ(call(message).status().code(), v1::OK);
    const std::string applied = text();
    undo();
    ASSERT_EQ(recall("day").status().code(), v1::OK);
    EXPECT_EQ(text(), applied);
}

TEST_F(ScenesTest, ARecallIsPlannedAgainIfTheGraphChangesInTheMeantime) {
    script.play("hello a\nhello b\n" + tone());
    const std::string day = text();
    ASSERT_EQ(save("day").status().code(), v1::OK);
    apply({RemoveNode{"osc"}});
    script.workers.held = true;
    script.play(R"(
        a> id: 2 recall_scene { name: "day" }
        a-
    )");
    edit_in_the_meantime("add_node { name: 'x' type: 'gain' }");
    ASSERT_TRUE(finish_request());
    script.play("a-");
    script.workers.held = false;
    ASSERT_TRUE(finish_request()) << "a new plan";
    script.play("a< response { id: 2 recall_scene { transaction { revision: 4 } } }");
    EXPECT_EQ(text(), day);
}

TEST_F(ScenesTest, ParametersThatAreSetInTheMeantimeGetTheValuesOfTheSceneWithoutANewPlan) {
    script.play("hello a\nhello b\n" + tone());
    const std::string day = text();
    ASSERT_EQ(save("day").status().code(), v1::OK);
    set("out", "gain_db", -5.0F);
    apply({RemoveNode{"osc"}});
    ASSERT_EQ(call("subscribe { topics: TOPIC_CHANGES }").status().code(), v1::OK);
    script.workers.held = true;
    script.play(R"(
        a> id: 2 recall_scene { name: "day" fade_ms: 40 }
        b> id: 3 set_parameters { changes { node: "vol" parameter: "gain_db" value: -3 } }
        block
        b< response { id: 3 set_parameters { } }
        b> id: 4 set_parameters { changes { node: "out" parameter: "gain_db" value: -6 } }
        block
        b< response { id: 4 set_parameters { } }
    )");
    events.clear();
    ASSERT_TRUE(finish_request());
    EXPECT_FALSE(finish_request()) << "no other plan";
    for (int i = 0; i < 3; ++i) script.block();
    v1::Response response;
    while (auto message = script.receive('a')) {
        if (message->has_response()) response = message->response();
        if (message->has_event()) events.push_back(message->event());
    }
    EXPECT_EQ(response.status().code(), v1::OK) << response.status().message();
    EXPECT_EQ(text(), day);
    const auto changed = std::ranges::find_if(events, &v1::Event::has_graph_changed);
    ASSERT_NE(changed, events.end());
    const auto& edits = changed->graph_changed().edits();
    ASSERT_FALSE(edits.empty());
    EXPECT_EQ(edits.rbegin()->set_parameter().node(), "vol") << "clients that mirror the graph learn of it";
    EXPECT_EQ(edits.rbegin()->set_parameter().value(), 0.0F);
    EXPECT_EQ(edits.rbegin()->set_parameter().ramp_ms(), 40.0F);
    script.workers.held = false;
    undo();
    EXPECT_EQ(value("vol", "gain_db"), -3.0F);
    EXPECT_EQ(value("out", "gain_db"), -6.0F);
}

TEST_F(ScenesTest, ANodeThatARecallRenamesGetsTheValuesOfTheScene) {
    script.play("hello a\n" + tone());
    const SceneContent scene{.graph = script.engine.graph()};
    apply({RenameNode{"vol", "loud"}});
    const AudioGraph planned = script.engine.graph();
    set("loud", "gain_db", -3.0F);
    // As with a revert: the result is that of the graph in which the node had its name.
    const auto result = recalled(scene.graph, script.engine.next_identity(), scene);
    ASSERT_TRUE(result);
    const auto lost = lost_values(planned, script.engine.graph(), RecalledNodes{*result, scene}, {});
    ASSERT_TRUE(lost);
    ASSERT_EQ(lost->size(), 1U);
    EXPECT_EQ(lost->front().node, "vol") << "its name after the recall";
    EXPECT_EQ(lost->front().value, 0.0F);
}

TEST_F(ScenesTest, AParameterOfANodeThatARecallRemovesOrRebuildsMayBeSetInTheMeantime) {
    script.play("hello a\nhello b\n" + tone());
    apply({AddNode{"delay_line", "echo", {{"max_time_ms", 500.0}}, {}}});
    ASSERT_EQ(save("day").status().code(), v1::OK);
    const std::string day = text();
    apply({ChangeSettings{"echo", {{"max_time_ms", 200.0}}}, AddNode{"gain", "other", {}, {}}});
    script.workers.held = true;
    script.play(R"(
        a> id: 2 recall_scene { name: "day" }
        b> id: 3 set_parameters { changes { node: "other" parameter: "gain_db" value: -3 } changes { node: "echo" parameter: "mix" value: 0.25 } }
        block
        b< response { id: 3 set_parameters { } }
    )");
    ASSERT_TRUE(finish_request());
    EXPECT_FALSE(finish_request()) << "nothing is planned or built again";
    script.play("block\na< response { id: 2 recall_scene { } }");
    EXPECT_EQ(text(), day);
}

TEST_F(ScenesTest, WhoseGraphChangesAllTheTimeIsRefused) {
    script.play("hello a\nhello b\n" + tone());
    ASSERT_EQ(save("day").status().code(), v1::OK);
    script.workers.held = true;
    script.play("a> id: 2 recall_scene { name: \"day\" }\na-");
    int plans = 0;
    for (; plans < 100; ++plans) {
        edit_in_the_meantime("add_node { name: 'n" + std::to_string(plans) + "' type: 'gain' }");
        if (!finish_request()) break;
    }
    EXPECT_EQ(plans, 16);
    script.play("a< response { id: 2 status { code: ABORTED } }");
}

TEST_F(ScenesTest, ASceneThatIsRemovedWhileItsRecallIsPlannedIsNotRecalled) {
    script.play("hello a\nhello b\n" + tone());
    ASSERT_EQ(save("day").status().code(), v1::OK);
    set("vol", "gain_db", -7.0F);
    script.workers.held = true;
    script.play("a> id: 2 recall_scene { name: \"day\" }\nb> id: 3 remove_scene { name: \"day\" }");
    ASSERT_EQ(script.workers.jobs.size(), 2U);
    script.workers.finish(1);
    script.play("b< response { id: 3 remove_scene { } }");
    script.workers.held = false;
    script.workers.finish(0);
    script.play("a< response { id: 2 status { code: NOT_FOUND } }");
    EXPECT_EQ(value("vol", "gain_db"), -7.0F);
}

TEST_F(ScenesTest, AScheduledRecallTakesTheSceneAndTheGraphOfItsTime) {
    script.play("hello a\n" + tone());
    ASSERT_EQ(save("day").status().code(), v1::OK);
    const std::uint64_t frame = script.engine.renderer().frames() + 2'000 * 64;
    const v1::Response accepted = call("recall_scene { name: 'day' at { frame: " + std::to_string(frame) + " } }");
    ASSERT_EQ(accepted.status().code(), v1::OK) << accepted.status().message();
    EXPECT_EQ(accepted.recall_scene().transaction().pending().summary(), "recall day");
    EXPECT_EQ(accepted.recall_scene().transaction().pending().frame(), frame);
    apply({RemoveNode{"osc"}, AddNode{"sine", "late", {}, {}}});
    set("vol", "gain_db", -7.0F);
    ASSERT_EQ(save("day").status().code(), v1::OK) << "replaced: without osc";
    const std::string day = text();
    set("vol", "gain_db", -8.0F);
    const auto play_to = [&](std::uint64_t end) {
        while (script.engine.renderer().frames() < end) {
            script.render_block();
            script.now += std::chrono::nanoseconds{64 * 1'000'000'000ULL / 48'000};
            script.tick({});
        }
    };
    play_to(frame - 64 * 64);
    EXPECT_EQ(value("vol", "gain_db"), -8.0F);
    set("late", "gain_db", -30.0F);  // after the recall was planned
    play_to(frame + 2 * 64);
    EXPECT_EQ(text(), day);
    const v1::Response history = call("get_history { steps: 1 }");
    EXPECT_EQ(history.get_history().steps(0).summary(), "recall day");
}

TEST_F(ScenesTest, AScheduledRecallOfASceneThatWasRemovedNoLongerApplies) {
    script.play("hello a\n" + tone());
    ASSERT_EQ(save("day").status().code(), v1::OK);
    ASSERT_EQ(call("subscribe { topics: TOPIC_CHANGES }").status().code(), v1::OK);
    ASSERT_EQ(call("recall_scene { name: 'day' at { in_s: 20 } }").status().code(), v1::OK);
    ASSERT_EQ(call("remove_scene { name: 'day' }").status().code(), v1::OK);
    for (int i = 0; i < 21'000 / 4; ++i) {
        for (int block = 0; block < 3; ++block) script.render_block();
        script.tick(std::chrono::milliseconds{4});
    }
    ASSERT_EQ(call("list_scenes {}").status().code(), v1::OK);
    const auto failed = std::ranges::find_if(
        events, [](const v1::Event& event) { return event.pending_changed().what() == v1::PendingChanged::FAILED; });
    ASSERT_NE(failed, events.end());
    EXPECT_EQ(failed->pending_changed().error().code(), v1::NOT_FOUND);
}

/// A recall that was prepared within the seconds before its frame.
class ScheduledRecall : public ScenesTest {
 protected:
    void SetUp() override {
        script.play("hello a\nhello b\n" + tone());
        ASSERT_EQ(save("day").status().code(), v1::OK);
        set("vol", "gain_db", -7.0F);
        ASSERT_EQ(call("subscribe { topics: TOPIC_CHANGES }").status().code(), v1::OK);
    }
    void schedule() {
        end = script.engine.renderer().frames() + 1'000 * 64;
        const v1::Response accepted = call("recall_scene { name: 'day' at { frame: " + std::to_string(end) + " } }");
        ASSERT_EQ(accepted.status().code(), v1::OK) << accepted.status().message();
        pending = accepted.recall_scene().transaction().pending().id();
        play_to(end - 900 * 64);
    }
    /// Renders in real time, and calls `each` after each block.
    void play_to(std::uint64_t frame, const std::function<void()>& each = nullptr) {
        while (script.engine.renderer().frames() < frame) {
            script.render_block();
            script.now += std::chrono::nanoseconds{64 * 1'000'000'000ULL / 48'000};
            script.tick({});
            if (each) each();
        }
        while (auto message = script.receive('a')) events.push_back(message->event());
    }
    [[nodiscard]] std::vector<v1::PendingChanged> outcomes() const {
        std::vector<v1::PendingChanged> found;
        for (const v1::Event& event : events) {
            if (event.has_pending_changed() && event.pending_changed().what() != v1::PendingChanged::ADDED)
                found.push_back(event.pending_changed());
        }
        return found;
    }

    std::uint64_t end = 0;
    std::uint64_t pending = 0;
};

TEST_F(ScheduledRecall, TakesTheSceneThatWasSavedAgainSince) {
    schedule();
    ASSERT_EQ(save("day").status().code(), v1::OK) << "with -7 dB";
    play_to(end + 2 * 64);
    EXPECT_EQ(value("vol", "gain_db"), -7.0F);
    ASSERT_EQ(outcomes().size(), 1U);
    EXPECT_EQ(outcomes()[0].what(), v1::PendingChanged::COMMITTED);
}

TEST_F(ScheduledRecall, NoLongerAppliesAfterTheSceneWasRemoved) {
    schedule();
    ASSERT_EQ(call("remove_scene { name: 'day' }").status().code(), v1::OK);
    play_to(end + 2 * 64);
    EXPECT_EQ(value("vol", "gain_db"), -7.0F);
    ASSERT_EQ(outcomes().size(), 1U);
    EXPECT_EQ(outcomes()[0].what(), v1::PendingChanged::FAILED);
    EXPECT_EQ(outcomes()[0].error().code(), v1::NOT_FOUND);
}

TEST_F(ScheduledRecall, ThatCannotBePlannedHasNotFailedBeforeItsTime) {
    schedule();
    ASSERT_EQ(call("remove_scene { name: 'day' }").status().code(), v1::OK);
    play_to(end - 20 * 64);
    EXPECT_TRUE(outcomes().empty());
    play_to(end + 2 * 64);
    ASSERT_EQ(outcomes().size(), 1U);
    EXPECT_EQ(outcomes()[0].what(), v1::PendingChanged::FAILED);
    EXPECT_EQ(outcomes()[0].error().code(), v1::NOT_FOUND);
}

TEST_F(ScheduledRecall, IsMadeIfItsSceneIsThereAgainInTime) {
    schedule();
    ASSERT_EQ(call("remove_scene { name: 'day' }").status().code(), v1::OK);
    play_to(end - 500 * 64);
    ASSERT_EQ(save("day").status().code(), v1::OK) << "with -7 dB";
    set("vol", "gain_db", -9.0F);
    play_to(end + 2 * 64);
    EXPECT_EQ(value("vol", "gain_db"), -7.0F);
    ASSERT_EQ(outcomes().size(), 1U);
    EXPECT_EQ(outcomes()[0].what(), v1::PendingChanged::COMMITTED);
}

TEST_F(ScheduledRecall, TakesTheSceneThatHasTheNameAtItsTime) {
    ASSERT_EQ(save("night").status().code(), v1::OK);
    schedule();
    ASSERT_EQ(call("rename_scene { name: 'day' new_name: 'noon' }").status().code(), v1::OK);
    ASSERT_EQ(call("rename_scene { name: 'night' new_name: 'day' }").status().code(), v1::OK);
    set("vol", "gain_db", -9.0F);
    play_to(end + 2 * 64);
    EXPECT_EQ(value("vol", "gain_db"), -7.0F);
}

TEST_F(ScheduledRecall, IsNotPlannedAgainWhileParametersChange) {
    schedule();
    int jobs = 0;
    int changes = 0;
    script.workers.held = true;
    play_to(end + 2 * 64, [&] {
        for (; finish_request(); ++jobs) {
        }
        if (script.engine.renderer().frames() + 8 * 64 >= end) return;
        // One that the recall sets anyway, and one that had the value of the scene.
        const std::string value = std::to_string(-1 - ++changes % 50);
        script.play("b> id: 3 set_parameters { changes { node: \"vol\" parameter: \"gain_db\" value: " + value +
                    " } changes { node: \"osc\" parameter: \"frequency_hz\" value: 50" + value.substr(1) + " } }");
        while (script.receive('b')) {
        }
    });
    EXPECT_GT(changes, 800);
    EXPECT_LE(jobs, 1);
    EXPECT_EQ(value("vol", "gain_db"), 0.0F);
    EXPECT_EQ(value("osc", "frequency_hz"), 440.0F);
    ASSERT_EQ(outcomes().size(), 1U);
    EXPECT_EQ(outcomes()[0].what(), v1::PendingChanged::COMMITTED);
}

TEST_F(ScheduledRecall, IsPlannedAgainASmallNumberOfTimesWhileTheGraphChanges) {
    schedule();
    int jobs = 0;
    int changes = 0;
    script.workers.held = true;
    play_to(end + 20 * 64, [&] {
        const bool edits = script.engine.renderer().frames() + 8 * 64 < end;
        if (edits) {
            const std::string edit =
                ++changes % 2 == 1 ? "add_node { name: \"x\" type: \"gain\" }" : "remove_node { name: \"x\" }";
            script.play("b> id: 3 apply_transaction { edits { edits { " + edit + " } } }");
            while (script.receive('b')) {
            }
            if (!script.workers.jobs.empty()) script.workers.finish(script.workers.jobs.size() - 1);
        }
        for (; finish_request(); ++jobs) {
        }
    });
    EXPECT_GT(changes, 800);
    EXPECT_LE(jobs, 12) << "in 900 blocks, with as many changes";
    EXPECT_EQ(value("vol", "gain_db"), 0.0F);
    ASSERT_EQ(outcomes().size(), 1U);
    EXPECT_NE(outcomes()[0].what(), v1::PendingChanged::FAILED);
}

TEST_F(ScheduledRecall, IsPlannedAgainIfTheGraphHasChangedInTheSamePlaces) {
    apply({RemoveNode{"osc"}});
    script.workers.held = true;
    end = script.engine.renderer().frames() + 1'000 * 64;
    script.play("a> id: 3 recall_scene { name: \"day\" at { frame: " + std::to_string(end) + " } }");
    while (!script.workers.jobs.empty()) script.workers.finish(0);  // it is checked
    script.tick({});
    ASSERT_FALSE(script.workers.jobs.empty()) << "it is being prepared";
    edit_in_the_meantime("add_node { name: \"osc\" type: \"sine\" }");
    script.workers.held = false;
    while (finish_request()) {
    }
    play_to(end + 2 * 64);
    EXPECT_EQ(value("vol", "gain_db"), 0.0F);
    ASSERT_EQ(outcomes().size(), 1U);
    EXPECT_EQ(outcomes()[0].what(), v1::PendingChanged::COMMITTED) << outcomes()[0].ShortDebugString();
}

TEST_F(ScheduledRecall, ThatIsCancelledGivesItsProcessorsBack) {
    apply({RemoveNode{"osc"}});
    prepare();
    ASSERT_TRUE(info("day").prepared());
    script.workers.held = true;
    end = script.engine.renderer().frames() + 1'000 * 64;
    script.play("a> id: 3 recall_scene { name: \"day\" at { frame: " + std::to_string(end) + " } }");
    while (!script.workers.jobs.empty()) script.workers.finish(0);  // it is checked
    script.tick({});
    while (finish_request()) {  // and prepared
    }
    script.workers.jobs.clear();  // scenes are not prepared again
    script.workers.held = false;
    while (script.receive('a')) {
    }
    ASSERT_EQ(call("cancel_pending { id: 1 }").status().code(), v1::OK);
    EXPECT_TRUE(recall("day").recall_scene().was_prepared());
}

// ---------------------------------------------------------------------------------------------------------------------
// Preparation

TEST_F(ScenesTest, ThoseUsedLastArePreparedAndARecallThenBuildsNothing) {
    script.play("hello a\n" + tone());
    ASSERT_EQ(save("day").status().code(), v1::OK);
    apply({RemoveNode{"osc"}, RemoveNode{"vol"}});
    EXPECT_FALSE(info("day").prepared());
    prepare();
    EXPECT_TRUE(info("day").prepared());
    EXPECT_GT(info("day").prepared_bytes(), 0U);
    v1::RecallSceneResult result = recall("day").recall_scene();
    EXPECT_TRUE(result.was_prepared());
    EXPECT_EQ(result.prepare_ms(), 0.0F);
    undo();
    // The processors were used.
    result = recall("day").recall_scene();
    EXPECT_FALSE(result.was_prepared());
    EXPECT_GT(result.prepare_ms(), 0.0F);
    // Again, after the graph has changed.
    undo();
    prepare();
    EXPECT_TRUE(info("day").prepared());
    apply({AddNode{"gain", "x", {}, {}}});
    EXPECT_FALSE(info("day").prepared()) << "not known yet";
    prepare();
    EXPECT_TRUE(info("day").prepared());
    EXPECT_TRUE(recall("day").recall_scene().was_prepared());
}

TEST_F(ScenesTest, ARecallThatIsRefusedLosesNoProcessors) {
    script.play("hello a\nhello b\n" + tone());
    ASSERT_EQ(save("day").status().code(), v1::OK);
    apply({RemoveNode{"osc"}});
    prepare();
    script.workers.held = true;
    script.play(R"(
        a> id: 2 recall_scene { name: "day" }
    )");
    edit_in_the_meantime("connect { from: 'vol' to: 'out' gain_db: -1 }");
    ASSERT_TRUE(finish_request());
    script.workers.held = false;
    ASSERT_TRUE(finish_request());
    script.play("a< response { id: 2 recall_scene { was_prepared: true } }");
}

TEST_F(ScenesTest, TheMemoryOfPreparedScenesIsLimitedAndTheLatestIsPreferred) {
    const auto scene_of = [](int delay_ms) {
        return "apply_transaction { graph { nodes { name: 'echo' type: 'delay_line' settings { fields { key: 'max_time_ms' "
               "value { number_value: " +
               std::to_string(delay_ms) + " } } } } } }";
    };
    ClientLimits limits;
    limits.scenes.prepared_bytes = std::uint64_t{3} << 20U;  // one of the delays takes 2 MiB
    Script limited{builtin_nodes(), {}, limits};
    limited.play("hello a");
    std::uint64_t number = 10;
    const auto ask = [&](const std::string& text) {
        limited.send('a', request("id: " + std::to_string(++number) + " " + text));
        for (int i = 0; i < 1'000; ++i) {
            if (auto message = limited.receive('a')) return message->response();
            limited.block();
        }
        ADD_FAILURE() << text;
        return v1::Response{};
    };
    for (const char* const name : {"a", "b"}) {
        ASSERT_EQ(ask(scene_of(*name == 'a' ? 10'000 : 9'900)).status().code(), v1::OK);
        ASSERT_EQ(ask("save_scene { name: '" + std::string{name} + "' }").status().code(), v1::OK);
    }
    ASSERT_EQ(ask("apply_transaction { graph { } }").status().code(), v1::OK);
    limited.tick(std::chrono::seconds{1});
    v1::ScenesResult scenes = ask("list_scenes {}").list_scenes();
    EXPECT_FALSE(scenes.scenes(0).prepared());
    EXPECT_TRUE(scenes.scenes(1).prepared()) << scenes.ShortDebugString();
    ASSERT_FALSE(ask("recall_scene { name: 'a' }").recall_scene().was_prepared());
    ASSERT_EQ(ask("apply_transaction { graph { } }").status().code(), v1::OK);
    limited.tick(std::chrono::seconds{1});
    scenes = ask("list_scenes {}").list_scenes();
    EXPECT_TRUE(scenes.scenes(0).prepared()) << "it was used last";
    EXPECT_FALSE(scenes.scenes(1).prepared());
}

// ---------------------------------------------------------------------------------------------------------------------
// Against a model

using Nodes = std::map<std::string, GraphDocument::Node>;
using Connections = std::map<std::pair<std::string, std::string>, float>;

Nodes nodes_of(const GraphDocument& document) {
    Nodes nodes;
    for (const GraphDocument::Node& node : document.nodes) nodes.emplace(node.name, node);
    return nodes;
}

bool same_kind(const GraphDocument::Node& a, const GraphDocument::Node& b) {
    return a.type == b.type && a.settings == b.settings;
}

Connections connections_of(const GraphDocument& document, const auto& wanted) {
    Connections connections;
    for (const GraphDocument::Connection& connection : document.connections) {
        const std::string from{split_port(connection.from).node};
        const std::string to{split_port(connection.to).node};
        if (wanted(from, to))
            connections.emplace(std::pair{connection.from, connection.to}, connection.gain_db.value_or(0));
    }
    return connections;
}

/// Compares the graph after the recall of a scene of some nodes with what the rules say.
void expect_partial(const GraphDocument& before, const GraphDocument& scene, const GraphDocument& after) {
    const Nodes old = nodes_of(before);
    const Nodes wanted = nodes_of(scene);
    const Nodes now = nodes_of(after);
    const auto belongs = [&](const std::string& name) { return wanted.contains(name); };
    // Nodes.
    std::size_t count = wanted.size();
    for (const auto& [name, node] : old) count += belongs(name) ? 0U : 1U;
    ASSERT_EQ(now.size(), count);
    for (const auto& [name, node] : now) {
        const GraphDocument::Node& expected = belongs(name) ? wanted.at(name) : old.at(name);
        EXPECT_TRUE(same_kind(node, expected)) << name;
        EXPECT_EQ(node.parameters, expected.parameters) << name;
    }
    // Connections: between nodes of the scene, between others, and between both.
    const auto inner = [&](const std::string& from, const std::string& to) { return belongs(from) && belongs(to); };
    const auto outer = [&](const std::string& from, const std::string& to) { return !belongs(from) && !belongs(to); };
    EXPECT_EQ(connections_of(after, inner), connections_of(scene, inner));
    EXPECT_EQ(connections_of(after, outer), connections_of(before, outer));
    const auto stays = [&](const std::string& name) {
        return !belongs(name) || (old.contains(name) && same_kind(old.at(name), wanted.at(name)));
    };
    const auto crosses = [&](const std::string& from, const std::string& to) { return belongs(from) != belongs(to); };
    const auto kept = [&](const std::string& from, const std::string& to) {
        return crosses(from, to) && stays(from) && stays(to);
    };
    const Connections crossing = connections_of(after, crosses);
    const Connections crossing_before = connections_of(before, crosses);
    EXPECT_EQ(connections_of(after, kept), connections_of(before, kept));
    for (const auto& connection : crossing)
        EXPECT_TRUE(crossing_before.contains(connection.first)) << connection.first.first;
}

class RandomRecalls : public ScenesTest {
 protected:
    static constexpr rta::test::RandomEditLimits kLimits{.remembering = true, .channels = 1};

    [[nodiscard]] std::uint32_t any(std::uint32_t count) {
        return std::uniform_int_distribution<std::uint32_t>{0, count - 1}(random);
    }
    void edit() {
        RandomEdits edits{document(), kLimits, next_name};
        for (std::uint32_t i = 1 + any(6); i > 0; --i) {
            const auto kind = static_cast<RandomEdit::Kind>(any(static_cast<std::uint32_t>(RandomEdit::Kind::count)));
            edits.add({kind, any(2), any(2), any(1U << 30U), any(1U << 30U)});
        }
        v1::Request message;
        for (const Edit& one : edits.edits())
            to_wire(one, *message.mutable_apply_transaction()->mutable_edits()->add_edits());
        message.mutable_apply_transaction()->mutable_edits();
        call(message);  // some are refused, for example because they close a cycle
    }
    void save_any() {
        const std::string name = "scene_" + std::to_string(any(8));
        std::vector<std::string> nodes;
        if (any(2) == 0) {
            for (const GraphDocument::Node& node : document().nodes) {
                if (any(3) == 0) nodes.push_back(node.name);
            }
        }
        const v1::Response response = save(name, nodes);
        ASSERT_EQ(response.status().code(), v1::OK) << response.status().message();
        const auto saved = scene_document(script.engine.graph(), nodes);
        ASSERT_TRUE(saved);
        scenes.insert_or_assign(name, std::pair{!nodes.empty(), *saved});
    }
    void recall_any() {
        if (scenes.empty()) return;
        const auto chosen = std::next(scenes.begin(), any(static_cast<std::uint32_t>(scenes.size())));
        const GraphDocument before = document();
        const auto& [partial, scene] = chosen->second;
        const v1::Response response = recall(chosen->first);
        if (response.status().code() != v1::OK) {
            // What it does not touch, and the scene, may close a cycle together, or mismatch in width.
            EXPECT_TRUE(partial) << response.status().message();
            EXPECT_EQ(response.status().code(), v1::FAILED_PRECONDITION) << response.status().message();
            EXPECT_EQ(text(), write_document(before));
            return;
        }
        ++recalls;
        if (partial) return expect_partial(before, scene, document());
        EXPECT_EQ(text(), write_document(scene));
        if (any(4) != 0 || write_document(before) == text()) return;  // what changes nothing is not a step
        undo();
        EXPECT_EQ(text(), write_document(before));
    }

    std::mt19937 random{14};
    std::uint32_t next_name = 0;
    std::map<std::string, std::pair<bool, GraphDocument>> scenes;
    int recalls = 0;
};

TEST_F(RandomRecalls, LeadToTheGraphOfTheModel) {
    script.play("hello a");
    v1::Request start;
    to_wire(RandomEdits::start(2, kLimits), *start.mutable_apply_transaction()->mutable_graph());
    ASSERT_EQ(call(start).status().code(), v1::OK);
    for (int i = 0; i < 400 && !HasFailure(); ++i) {
        SCOPED_TRACE("action " + std::to_string(i));
        const std::uint32_t action = any(10);
        if (action < 5) {
            edit();
        } else if (action < 7) {
            save_any();
        } else {
            recall_any();
        }
        if (any(4) == 0) prepare();
    }
    EXPECT_GT(recalls, 60);
}

// ---------------------------------------------------------------------------------------------------------------------
// Text

TEST(SceneText, ItIsAGraphDocumentWithCommentsAndReadsBack) {
    const Engine engine{builtin_nodes(), {}};
    GraphDocument document;
    document.nodes.push_back({"vol", "gain", {}, {{"gain_db", -6.0F}}});
    const std::string text =
        write_scene({.partial = true, .author = "uid 1\n000", .utc_us = 1'700'000'000'000'000, .nodes = 1}, document);
    EXPECT_EQ(text.substr(0, 16), "// rtad scene 1\n");
    EXPECT_TRUE(read_document(text));
    const SceneHeader header = read_scene_header(text);
    EXPECT_TRUE(header.partial);
    EXPECT_EQ(header.author, "uid 1 000");
    EXPECT_EQ(header.utc_us, 1'700'000'000'000'000);
    EXPECT_EQ(header.nodes, 1U);
    const auto content = read_scene(text, engine);
    ASSERT_TRUE(content) << content.error().sentence;
    EXPECT_TRUE(content->partial);
    EXPECT_EQ(content->graph.find("vol")->parameters.front(), -6.0F);
    // One that an administrator has written.
    EXPECT_EQ(read_scene_header("{}").author, "");
    EXPECT_FALSE(read_scene("{\"nodes\": [{\"name\": \"x\", \"type\": \"nothing\"}]}", engine));
}

}  // namespace
}  // namespace rta::api::test
