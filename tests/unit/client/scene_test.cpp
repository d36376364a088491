// SPDX-License-Identifier: MIT
// The commands of scenes, and the events about them, with a fake daemon.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "fake_rtad.h"
#include "rtactl/drawing/event_text.h"

namespace rta::test {
namespace {

using rtactl::Exit;

TEST(Scene, SavesTheGraphOrSomeNodes) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"scene", "save", "day"}).out, "saved scene day: 3 nodes\n");
    EXPECT_EQ(rtad.last_change().save_scene().nodes_size(), 0);
    EXPECT_EQ(rtad.run({"scene", "save", "quiet", "--only", "vol", "out"}).out,
              "saved scene quiet: 3 nodes of the graph\n");
    ASSERT_EQ(rtad.last_change().save_scene().nodes_size(), 2);
    EXPECT_EQ(rtad.last_change().save_scene().nodes(1), "out");
    EXPECT_EQ(rtad.run({"scene", "save", "x", "--only"}).exit, Exit::usage);
    EXPECT_EQ(rtad.run({"scene", "save", "x", "vol"}).exit, Exit::usage) << "the option may have been forgotten";
    EXPECT_EQ(rtad.change_count(), 2U);
}

TEST(Scene, RecallsWithTheOptionsOfEdits) {
    FakeRtad rtad;
    Outcome outcome = rtad.run({"scene", "recall", "day", "--fade", "2s", "--expect", "4"});
    EXPECT_EQ(outcome.out, "recalled day: revision 1, takes effect at frame 4096\n") << outcome.err;
    EXPECT_EQ(rtad.last_change().recall_scene().fade_ms(), 2'000.0F);
    EXPECT_EQ(rtad.last_change().recall_scene().guard().expected_revision(), 4U);
    EXPECT_TRUE(rtad.last_change().recall_scene().wait_for_start());
    outcome = rtad.run({"scene", "recall", "night"});
    EXPECT_TRUE(has(outcome.out, "(the scene was not prepared: that took 12.5 ms)")) << outcome.out;
    EXPECT_FALSE(rtad.last_change().recall_scene().has_fade_ms());
    outcome = rtad.run({"scene", "recall", "day", "--at", "+2s"});
    EXPECT_TRUE(has(outcome.out, "edit 3 waits for frame 480000")) << outcome.out;
    for (const char* const fade : {"-1", "601s", "2Hz", "x"})
        EXPECT_EQ(rtad.run({"scene", "recall", "day", "--fade", fade}).exit, Exit::usage) << fade;
    EXPECT_EQ(rtad.change_count(), 3U);
}

TEST(Scene, ADryRunAndADifferenceChangeNothing) {
    FakeRtad rtad;
    Outcome outcome = rtad.run({"scene", "recall", "night", "--dry-run"});
    EXPECT_TRUE(has(outcome.out, "dry run: would change revision")) << outcome.out;
    EXPECT_TRUE(has(outcome.out, "  remove osc\n")) << outcome.out;
    EXPECT_TRUE(has(rtad.run({"scene", "recall", "day", "--dry-run"}).out, "dry run: would change nothing"));
    EXPECT_EQ(rtad.run({"scene", "recall", "night", "--dry-run", "--expect", "999"}).exit, Exit::refused);
    EXPECT_EQ(rtad.run({"scene", "diff", "night"}).out, "begin\nremove osc\ncommit\n");
    EXPECT_EQ(rtad.run({"scene", "diff", "day"}).out, "# scene day: no difference\n");
    EXPECT_EQ(rtad.change_count(), 0U);
}

TEST(Scene, ListsRenamesAndRemoves) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"scene", "list"}).out,
              "NAME   NODES  SCOPE  PREPARED  SAVED                 AUTHOR\n"
              "day    3      graph  yes       2026-12-01T20:15:00Z  desk\n"
              "night  3      graph  no        2026-12-01T20:15:00Z  desk\n");
    EXPECT_EQ(rtad.run({"scene", "rename", "day", "noon"}).out, "renamed scene day to noon\n");
    EXPECT_EQ(rtad.last_change().rename_scene().new_name(), "noon");
    EXPECT_EQ(rtad.run({"scene", "remove", "noon"}).out, "removed scene noon\n");
    EXPECT_EQ(rtad.last_change().remove_scene().name(), "noon");
    FakeRtad empty{[](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_list_scenes()) return std::nullopt;
        v1::Response response = ok(request);
        response.mutable_list_scenes();
        return Reply{.bytes = frame(response)};
    }};
    EXPECT_EQ(empty.run({"scene", "list"}).out, "no scenes are saved\n");
}

TEST(Scene, WatchDescribesItsEvents) {
    v1::Event event;
    event.set_number(7);
    v1::SceneChanged& changed = *event.mutable_scene_changed();
    changed.mutable_scene()->set_name("night");
    changed.mutable_scene()->set_node_count(3);
    changed.set_author("desk");
    changed.set_client_name("cues");
    changed.set_revision(9);
    const std::vector<std::pair<v1::SceneChanged::What, std::string>> texts{
        {v1::SceneChanged::SAVED, "7: scene night was saved by desk (\"cues\"), with 3 nodes"},
        {v1::SceneChanged::RECALLED, "7: scene night was recalled by desk (\"cues\"), revision 9"},
        {v1::SceneChanged::REMOVED, "7: scene night was removed by desk (\"cues\")"},
        {v1::SceneChanged::UNSPECIFIED, "7: scene night has changed in a way unknown to this version of rtactl"}};
    for (const auto& [what, text] : texts) {
        changed.set_what(what);
        EXPECT_EQ(rtactl::describe(event), text);
    }
    changed.set_what(v1::SceneChanged::RENAMED);
    changed.set_old_name("evening");
    EXPECT_EQ(rtactl::describe(event), "7: scene evening was renamed to night by desk (\"cues\")");
}

}  // namespace
}  // namespace rta::test
