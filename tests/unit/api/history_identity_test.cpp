// SPDX-License-Identifier: MIT
// Steps concern nodes and connections by identity: names, settings and removals by others do not confuse undo and redo.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "studio.h"

namespace rta::api::test {
namespace {

std::vector<Edit> echo() {
    return {AddNode{"delay_line", "echo", {{"max_time_ms", 500.0}}, {}}, AddNode{"mixer", "mix", {{"inputs", 2.0}}, {}},
            AddNode{"biquad", "free", {}, {}}};
}

TEST(HistoryIdentity, AWiderSettingThatAParameterOfAnotherAuthorNeedsIsNamedAndForceUndoesBoth) {
    Studio studio;
    ASSERT_TRUE(studio.edit("cid", echo()));
    const std::string first = studio.document();
    ASSERT_TRUE(studio.edit("ann", {ChangeSettings{"echo", {{"max_time_ms", 2'000.0}}}}));
    studio.set("bob", "echo", "time_ms", 1'500.0F);
    const std::string last = studio.document();
    const auto refused = studio.undo("ann");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().sentence.find("step 3 of bob (set echo.time_ms = 1500)"), std::string::npos)
        << refused.error().sentence;
    const auto forced = studio.undo("ann", 1, {.force = true});
    ASSERT_TRUE(forced) << forced.error().sentence;
    EXPECT_EQ(forced->undone, (std::vector<std::uint64_t>{3, 2}));
    EXPECT_EQ(studio.document(), first);
    ASSERT_TRUE(studio.redo("ann", 2));
    EXPECT_EQ(studio.document(), last);
}

TEST(HistoryIdentity, APortThatAnotherAuthorUsesIsNamedAndForceUndoesBoth) {
    Studio studio;
    ASSERT_TRUE(studio.edit("cid", echo()));
    const std::string first = studio.document();
    ASSERT_TRUE(studio.edit("ann", {ChangeSettings{"mix", {{"inputs", 4.0}}}}));
    ASSERT_TRUE(studio.edit("bob", {Connect{"echo", "mix:in_4", {}}}));
    studio.set("cid", "mix", "gain_4_db", -4.0F);
    const std::string last = studio.document();
    EXPECT_NE(studio.undo("ann").error().sentence.find(" of "), std::string::npos);
    ASSERT_TRUE(studio.undo("ann", 1, {.force = true}));
    EXPECT_EQ(studio.document(), first);
    ASSERT_TRUE(studio.redo("ann", 3, {.force = true}));
    EXPECT_EQ(studio.document(), last);
}

TEST(HistoryIdentity, AnUndoneWiderSettingIsAppliedAgainForWhatNeedsIt) {
    Studio studio;
    ASSERT_TRUE(studio.edit("cid", echo()));
    ASSERT_TRUE(studio.edit("ann", {ChangeSettings{"echo", {{"max_time_ms", 2'000.0}}}}));
    studio.set("bob", "echo", "time_ms", 1'500.0F);
    const std::string last = studio.document();
    ASSERT_TRUE(studio.undo("bob"));
    ASSERT_TRUE(studio.undo("ann"));
    const auto refused = studio.redo("bob");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().sentence.find("it needs step 2 of ann"), std::string::npos) << refused.error().sentence;
    ASSERT_TRUE(studio.redo("bob", 1, {.force = true}));
    EXPECT_EQ(studio.document(), last);
}

TEST(HistoryIdentity, ValuesThatAreInvalidTogetherAreFound) {
    Studio studio;
    ASSERT_TRUE(studio.edit("cid", echo()));
    const std::string first = studio.document();
    studio.set("ann", "free", "a2", 0.5F);
    studio.set("bob", "free", "a1", 1.2F);  // which is stable with that a2 only
    const auto refused = studio.undo("ann");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().sentence.find("step 3 of bob"), std::string::npos) << refused.error().sentence;
    ASSERT_TRUE(studio.undo("ann", 1, {.force = true}));
    EXPECT_EQ(studio.document(), first);
}

TEST(HistoryIdentity, ACycleIsFound) {
    Studio studio;
    ASSERT_TRUE(
        studio.edit("cid", {AddNode{"gain", "a", {}, {}}, AddNode{"gain", "b", {}, {}}, Connect{"a", "b", {}}}));
    const std::string first = studio.document();
    ASSERT_TRUE(studio.edit("ann", {Disconnect{"a", "b"}}));
    ASSERT_TRUE(studio.edit("bob", {AddNode{"gain", "c", {}, {}}, Connect{"b", "c", {}}, Connect{"c", "a", {}}}));
    const auto refused = studio.undo("ann");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().sentence.find("step 3 of bob"), std::string::npos) << refused.error().sentence;
    ASSERT_TRUE(studio.undo("ann", 1, {.force = true}));
    EXPECT_EQ(studio.document(), first);
}

TEST(HistoryIdentity, AStepFollowsItsNodeThroughAnUndoneRename) {
    Studio studio;
    ASSERT_TRUE(studio.edit("cid", tone_edits()));
    ASSERT_TRUE(studio.edit("bob", {RenameNode{"vol", "loud"}}));
    studio.set("ann", "loud", "gain_db", -7.0F);
    ASSERT_TRUE(studio.undo("bob"));
    EXPECT_EQ(studio.value("vol", "gain_db"), -7.0F);
    ASSERT_TRUE(studio.undo("ann"));
    EXPECT_EQ(studio.value("vol", "gain_db"), 0.0F);
    ASSERT_TRUE(studio.redo("ann"));
    EXPECT_EQ(studio.value("vol", "gain_db"), -7.0F);
}

TEST(HistoryIdentity, ANewNodeOfTheSameNameIsAnotherOne) {
    Studio studio;
    ASSERT_TRUE(studio.edit("cid", tone_edits()));
    ASSERT_TRUE(studio.edit("bob", {RenameNode{"vol", "loud"}}));
    studio.set("ann", "loud", "gain_db", -7.0F);
    ASSERT_TRUE(studio.undo("bob"));
    ASSERT_TRUE(studio.edit("cid", {AddNode{"gain", "loud", {}, {{"gain_db", -1.0F}}}}));
    const auto undone = studio.undo("ann", 1, {.force = true});
    ASSERT_TRUE(undone) << undone.error().sentence;
    EXPECT_EQ(undone->undone.size(), 1U);
    EXPECT_EQ(studio.value("loud", "gain_db"), -1.0F);
    EXPECT_EQ(studio.value("vol", "gain_db"), 0.0F);
    // The rename cannot be applied again while that node exists.
    const auto refused = studio.redo("bob");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().sentence.find("step 4 of cid"), std::string::npos) << refused.error().sentence;
}

TEST(HistoryIdentity, AStepDoesNotNeedAnEarlierOneOfTheSameName) {
    Studio studio;
    ASSERT_TRUE(studio.edit("ann", {AddNode{"gain", "x", {}, {}}}));
    ASSERT_TRUE(studio.undo("ann"));
    ASSERT_TRUE(studio.edit("bob", {AddNode{"gain", "x", {}, {}}}));
    studio.set("bob", "x", "gain_db", -5.0F);
    ASSERT_TRUE(studio.undo("bob", 2));
    const auto redone = studio.redo("bob", 2);
    ASSERT_TRUE(redone) << redone.error().sentence;
    EXPECT_EQ(studio.value("x", "gain_db"), -5.0F);
}

TEST(HistoryIdentity, TheValueBeforeAStepIsThatOfTheStepsThatStay) {
    Studio studio;
    ASSERT_TRUE(studio.edit("cid", tone_edits()));
    studio.set("ann", "vol", "gain_db", -3.0F);
    ASSERT_TRUE(studio.undo("ann"));
    studio.set("bob", "vol", "gain_db", -9.0F);
    ASSERT_TRUE(studio.redo("ann"));
    EXPECT_EQ(studio.value("vol", "gain_db"), -9.0F) << "the later change stays";
    ASSERT_TRUE(studio.undo("bob"));
    EXPECT_EQ(studio.value("vol", "gain_db"), -3.0F) << "that of ann, which stays";
}

TEST(HistoryIdentity, ARemovedNodeComesBackWithConnectionsToNodesThatWereRemovedMeanwhile) {
    Studio studio;
    ASSERT_TRUE(studio.edit("cid", tone_edits()));
    const std::string first = studio.document();
    ASSERT_TRUE(studio.edit("ann", {RemoveNode{"vol"}}));
    ASSERT_TRUE(studio.edit("bob", {RemoveNode{"out"}}));
    const auto undone = studio.undo("ann", 1, {.force = true});
    ASSERT_TRUE(undone) << undone.error().sentence;
    EXPECT_EQ(undone->undone.size(), 1U);
    ASSERT_TRUE(studio.undo("bob"));
    EXPECT_EQ(studio.document(), first);
}

TEST(HistoryIdentity, UndoneStepsThatCannotBeAppliedAgainMakeRoom) {
    Studio studio;
    ASSERT_TRUE(studio.edit("ann", tone_edits()));
    studio.set("ann", "vol", "gain_db", -3.0F);
    for (std::size_t i = 0; i < History::kMaximumSteps + 50; ++i) {
        studio.now += std::chrono::seconds{3};
        studio.set("bob", "osc", "gain_db", -1.0F);
        ASSERT_TRUE(studio.undo("bob"));
    }
    EXPECT_LE(studio.history.steps().size(), History::kMaximumSteps);
    const auto undone = studio.undo("ann", 2);
    ASSERT_TRUE(undone) << undone.error().sentence;
    EXPECT_EQ(studio.offline.engine.graph().node_count(), 0U);
}

TEST(HistoryIdentity, WhatAStepLeavesStaysRightWhenOldStepsAreDropped) {
    Studio studio;
    ASSERT_TRUE(studio.edit("cid", tone_edits()));
    studio.set("ann", "vol", "gain_db", -3.0F);
    studio.now += std::chrono::seconds{3};
    studio.set("bob", "vol", "gain_db", -9.0F);  // recorded with -3 before it
    ASSERT_TRUE(studio.undo("ann"));
    studio.set("ann", "osc", "gain_db", -1.0F);  // step 2 cannot be applied again
    for (std::size_t i = 0; i < History::kMaximumSteps - 3; ++i) {
        studio.now += std::chrono::seconds{3};
        studio.set("cid", "osc", "frequency_hz", static_cast<float>(100 + i));
    }
    ASSERT_TRUE(studio.undo("bob"));
    EXPECT_EQ(studio.value("vol", "gain_db"), 0.0F);
}

TEST(HistoryIdentity, AReplacedGraphKeepsTheNodesOfTheSameNameAndType) {
    Studio studio;
    ASSERT_TRUE(studio.edit("cid", tone_edits()));
    studio.set("ann", "vol", "gain_db", -3.0F);
    GraphDocument next;
    next.nodes = {{"vol", "gain", {{"channels", 2.0}}, {{"gain_db", -3.0F}}}};
    ASSERT_TRUE(studio.edit("bob", {ReplaceGraph{next}}));
    ASSERT_TRUE(studio.undo("ann")) << "the gain of vol is still that of ann";
    EXPECT_EQ(studio.value("vol", "gain_db"), 0.0F);
    ASSERT_TRUE(studio.undo("bob"));
    EXPECT_EQ(studio.value("vol", "gain_db"), 0.0F);
    EXPECT_EQ(studio.offline.engine.graph().node_count(), 3U);
}

TEST(HistoryIdentity, HoldsAcrossRestarts) {
    Studio studio;
    ASSERT_TRUE(studio.edit("cid", tone_edits()));
    ASSERT_TRUE(studio.edit("bob", {RenameNode{"vol", "loud"}}));
    studio.set("ann", "loud", "gain_db", -7.0F);
    ASSERT_TRUE(studio.edit("bob", {RemoveNode{"osc"}}));
    ASSERT_TRUE(studio.undo("bob", 2));
    const std::string saved = studio.history.writer()();

    Studio later;
    later.offline.load(studio.document());
    ASSERT_TRUE(later.history.restore(saved));
    ASSERT_TRUE(later.edit("eve", {AddNode{"gain", "loud", {}, {}}, AddNode{"sine", "more", {}, {}}}));
    ASSERT_TRUE(later.undo("ann"));
    EXPECT_EQ(later.value("vol", "gain_db"), 0.0F);
    EXPECT_EQ(later.value("loud", "gain_db"), 0.0F);
    EXPECT_FALSE(later.redo("bob")) << "the name is taken";
    ASSERT_TRUE(later.undo("eve"));
    ASSERT_TRUE(later.redo("bob", 2));
    ASSERT_NE(later.offline.engine.graph().find("loud"), nullptr);
    EXPECT_EQ(later.offline.engine.graph().find("osc"), nullptr);
    ASSERT_TRUE(later.undo("cid", 1, {.force = true}));
    EXPECT_EQ(later.offline.engine.graph().node_count(), 0U);
}

TEST(HistoryIdentity, AnEditWithoutEffectIsNotAStep) {
    Studio studio;
    ASSERT_TRUE(studio.edit("cid", tone_edits()));
    ASSERT_TRUE(studio.undo("cid"));
    const auto revision = studio.offline.engine.revision();
    ASSERT_TRUE(studio.redo("cid"));
    GraphDocument same = studio.offline.engine.graph().document();
    same.annotation = {};
    for (const std::vector<Edit>& edits :
         {std::vector<Edit>{RenameNode{"vol", "vol"}},
          {ChangeSettings{"vol", {}, {}}},
          {Describe{"vol", "", {}}},
          {Connect{"osc", "vol", 0.0F}},
          {RemoveNode{"osc"}, AddNode{"sine", "osc", {}, {}}, Connect{"osc", "vol", {}}},
          {ReplaceGraph{same}}})
        ASSERT_TRUE(studio.edit("cid", edits));
    const SetParameter twice[] = {{"vol", "gain_db", -5.0F, {}}, {"vol", "gain_db", 0.0F, {}}};
    const float before[] = {0.0F, 0.0F};
    float after[2] = {};
    ASSERT_TRUE(studio.offline.engine.set_parameters(twice, after));
    studio.history.record({"cid", "test"}, revision, studio.now, twice, before, after);
    EXPECT_EQ(studio.summaries().size(), 1U);
    ASSERT_TRUE(studio.undo("cid"));
    EXPECT_EQ(studio.offline.engine.graph().node_count(), 0U) << "the step that had an effect";
}

TEST(HistoryIdentity, AParameterThatWasSetToItsValueDoesNotConcernTheStep) {
    Studio studio;
    ASSERT_TRUE(studio.edit("cid", tone_edits()));
    const SetParameter both[] = {{"osc", "gain_db", -5.0F, {}}, {"vol", "gain_db", 0.0F, {}}};
    const float before[] = {-20.0F, 0.0F};
    float after[2] = {};
    ASSERT_TRUE(studio.offline.engine.set_parameters(both, after));
    studio.history.record({"ann", "test"}, 1, studio.now, both, before, after);
    ASSERT_TRUE(studio.edit("bob", {RemoveNode{"vol"}}));
    const auto undone = studio.undo("ann");
    ASSERT_TRUE(undone) << undone.error().sentence;
    EXPECT_EQ(studio.value("osc", "gain_db"), -20.0F);
}

TEST(HistorySummary, NamesTheLastValueOfAParameter) {
    const std::vector<Edit> edits{SetParameter{"vol", "gain_db", -5.0F, {}}, SetParameter{"vol", "gain_db", -8.0F, {}}};
    EXPECT_EQ(summary_of(edits), "set vol.gain_db = -8");
}

}  // namespace
}  // namespace rta::api::test
