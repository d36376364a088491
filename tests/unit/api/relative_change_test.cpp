// SPDX-License-Identifier: MIT
// Relative parameter changes: the requests, and what other clients receive.
#include <gtest/gtest.h>

#include <string>

#include "script.h"

namespace rta::api::test {
namespace {

TEST(RelativeChanges, TheResponseAndTheEventHaveTheResult) {
    Script script;
    script.play("hello a\nhello b\n" + tone() + R"(
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe {} }
        a> id: 2 set_parameters { changes { node: "vol" parameter: "gain_db" add: -6 } changes { node: "osc" parameter: "gain_db" value: -30 } changes { node: "vol" parameter: "mute" toggle: true ramp_ms: 5 } }
    )");
    const auto event = script.receive('b');
    ASSERT_TRUE(event);
    const v1::ParametersChanged& changed = event->event().parameters_changed();
    ASSERT_EQ(changed.changes_size(), 3);
    for (const v1::SetParameter& change : changed.changes())
        EXPECT_EQ(change.relative_case(), v1::SetParameter::RELATIVE_NOT_SET) << "a mirror needs no earlier value";
    EXPECT_EQ(changed.changes(0).value(), -6.0F);
    EXPECT_EQ(changed.changes(1).value(), -30.0F);
    EXPECT_EQ(changed.changes(2).value(), 1.0F);
    EXPECT_EQ(changed.changes(2).ramp_ms(), 5.0F);
    script.block();
    const auto response = script.receive('a');
    ASSERT_TRUE(response);
    const v1::ParametersResult& result = response->response().set_parameters();
    EXPECT_TRUE(result.has_frame());
    ASSERT_EQ(result.relative_changes_size(), 2);
    EXPECT_EQ(result.relative_changes(0).node(), "vol");
    EXPECT_EQ(result.relative_changes(0).value(), -6.0F);
    EXPECT_EQ(result.relative_changes(0).relative_case(), v1::SetParameter::RELATIVE_NOT_SET);
    EXPECT_EQ(result.relative_changes(1).parameter(), "mute");
    EXPECT_EQ(result.relative_changes(1).value(), 1.0F);
}

TEST(RelativeChanges, ThoseOfAllClientsCountAlsoInOneBlock) {
    Script script;
    std::string play = "hello a\nhello b\nhello c\n" + tone();
    for (const char* const client : {"a", "b", "c", "a", "b", "c", "a"}) {
        play += std::string{client} +
                "> id: 9 set_parameters { changes { node: \"vol\" parameter: \"gain_db\" add: -0.1 } changes { node: "
                "\"vol\" parameter: \"mute\" toggle: true } }\n";
    }
    script.play(play);
    script.block();
    const GraphNode* vol = script.engine.graph().find("vol");
    const NodeLayout& layout = vol->description->layout;
    EXPECT_EQ(vol->parameters[*layout.find_parameter("gain_db")], -0.7F);
    EXPECT_EQ(vol->parameters[*layout.find_parameter("mute")], 1.0F) << "7 toggles";
}

TEST(RelativeChanges, ATransactionReportsTheResultsToo) {
    Script script;
    script.play("hello a\nhello b\n" + tone() + R"(
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe {} }
        a> id: 2 apply_transaction { edits { edits { rename_node { name: "osc" new_name: "tone" } } edits { set_parameter { node: "vol" parameter: "gain_db" add: -3 } } edits { set_parameter { node: "vol" parameter: "gain_db" add: -4 } } } }
        a< response { id: 2 apply_transaction { revision: 2 relative_changes { node: "vol" parameter: "gain_db" value: -3 } relative_changes { node: "vol" parameter: "gain_db" value: -7 } } }
    )");
    const auto event = script.receive('b');
    ASSERT_TRUE(event);
    const v1::GraphChanged& changed = event->event().graph_changed();
    ASSERT_EQ(changed.edits_size(), 3);
    EXPECT_EQ(changed.edits(1).set_parameter().value(), -3.0F);
    EXPECT_EQ(changed.edits(2).set_parameter().value(), -7.0F);
    EXPECT_EQ(changed.edits(2).set_parameter().relative_case(), v1::SetParameter::RELATIVE_NOT_SET);
}

TEST(RelativeChanges, BadOnesAreRefusedAndNothingChanges) {
    Script script;
    script.play("hello a\n" + tone());
    for (const char* const change : {"parameter: \"gain_db\" add: 27.1", "parameter: \"gain_db\" add: nan",
                                     "parameter: \"gain_db\" toggle: true", "parameter: \"mute\" add: 1",
                                     "parameter: \"mute\" toggle: false", "parameter: \"gain_db\" add: 1 value: 1"}) {
        const std::string text = std::string{"{ node: \"vol\" "} + change + " }";
        script.send('a', request("id: 2 set_parameters { changes { node: \"vol\" parameter: \"gain_db\" value: -3 } "
                                 "changes " +
                                 text + " }"));
        const auto parameters = script.receive('a');
        ASSERT_TRUE(parameters) << change;
        EXPECT_EQ(parameters->response().status().code(), v1::INVALID_ARGUMENT) << change;
        EXPECT_EQ(parameters->response().status().edit_index(), 1U) << change;
        script.send('a', request("id: 3 apply_transaction { edits { edits { remove_node { name: \"osc\" } } edits { "
                                 "set_parameter " +
                                 text + " } } }"));
        const auto transaction = script.receive('a');
        ASSERT_TRUE(transaction) << change;
        EXPECT_EQ(transaction->response().status().code(), v1::INVALID_ARGUMENT) << change;
        EXPECT_EQ(transaction->response().status().edit_index(), 1U) << change;
    }
    EXPECT_EQ(script.engine.revision(), 1U);
    const GraphNode* vol = script.engine.graph().find("vol");
    EXPECT_EQ(vol->parameters[*vol->description->layout.find_parameter("gain_db")], 0.0F);
}

/// A request that waits for room is applied to the value at that time.
TEST(RelativeChanges, AWaitingRequestIsRelativeToTheValueWhenItsTurnHasCome) {
    Script script;
    script.play("hello a\nhello b\n" + tone());
    while (script.engine.mute_output(false)) {
    }
    script.play(R"(
        a> id: 2 set_parameters { changes { node: "vol" parameter: "gain_db" value: -20 } }
        b> id: 2 set_parameters { changes { node: "vol" parameter: "gain_db" add: 1 } }
        a-
        b-
        block
        block
        block
        a< response { id: 2 set_parameters {} }
        b< response { id: 2 set_parameters { relative_changes { value: -19 } } }
    )");
}

}  // namespace
}  // namespace rta::api::test
