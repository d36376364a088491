// SPDX-License-Identifier: MIT
// --at, pending and cancel, and the events about scheduled edits, with a fake daemon.
#include <gtest/gtest.h>

#include "every_edit.h"
#include "fake_rtad.h"
#include "rtactl/drawing/event_text.h"
#include "rtactl/language/edit_options.h"
#include "support/temporary.h"

namespace rta::test {
namespace {

using rtactl::Exit;
using rtactl::parse_when;

TEST(At, ReadsDelaysFramesAndUtcTimes) {
    EXPECT_EQ(parse_when("+2s")->in_s(), 2.0);
    EXPECT_EQ(parse_when("+0.5")->in_s(), 0.5);
    EXPECT_EQ(parse_when("+250ms")->in_s(), 0.25);
    EXPECT_EQ(parse_when("+5min")->in_s(), 300.0);
    EXPECT_EQ(parse_when("+1.5 h")->in_s(), 5'400.0);
    EXPECT_EQ(parse_when("480000")->frame(), 480'000U);
    EXPECT_EQ(parse_when("18446744073709551615")->frame(), 18'446'744'073'709'551'615U);
    // From `date -u -d ... +%s`.
    EXPECT_EQ(parse_when("2026-12-01T20:15:00Z")->utc_us(), 1'796'156'100'000'000);
    EXPECT_EQ(parse_when("2028-02-29T23:59:59.25Z")->utc_us(), 1'835'481'599'250'000);
}

TEST(At, RefusesEverythingElse) {
    FakeRtad rtad;
    for (const char* const text :
         {"", "+", "+-1", "+86401", "+2Hz", "-1", "1.5", "18446744073709551616", "2026-12-01", "2026-12-01T20:15Z",
          "2026-12-01T20:15:00", "2026-13-01T20:15:00Z", "2026-02-29T20:15:00Z", "2026-12-01T24:15:00Z",
          "2026-12-01T20:15:00.Z", "2026-12-01T20:15:00Zz", "tomorrow"}) {
        const Outcome outcome = rtad.run({"set", "vol.gain_db=-6", std::string{"--at="} + text});
        EXPECT_EQ(outcome.exit, Exit::usage) << text;
        EXPECT_TRUE(has(outcome.err, "--at: ")) << outcome.err;
    }
    EXPECT_EQ(rtad.run({"status", "--at", "5"}).exit, Exit::usage);
    EXPECT_EQ(rtad.change_count(), 0U);
}

TEST(At, EveryEditTakesATime) {
    FakeRtad rtad;
    const EveryEdit edits;
    for (std::vector<std::string> words : edits.commands()) {
        SCOPED_TRACE(words.front());
        words.insert(words.end(), {"--at", "+2s"});
        const Outcome outcome = rtad.run(words);
        EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
        const v1::Request request = rtad.last_change();
        const v1::When& at =
            request.has_set_parameters() ? request.set_parameters().at() : request.apply_transaction().at();
        EXPECT_EQ(at.in_s(), 2.0);
        EXPECT_EQ(outcome.out,
                  "edit 3 waits for frame 480000, 2026-12-01T20:15:00Z: set vol.gain_db\n"
                  "(in memory only: it is lost if rtad exits before then; `rtactl cancel 3` cancels it)\n");
    }
    const Outcome json = rtad.run({"--json", "set", "vol.gain_db=-6", "--at", "480000"});
    EXPECT_EQ(parse_json<v1::Response>(json.out).set_parameters().pending().id(), 3U) << json.out;
    EXPECT_EQ(rtad.run({"set", "vol.gain_db=-6"}).exit, Exit::done);
    EXPECT_FALSE(rtad.last_change().set_parameters().has_at());
}

TEST(At, InTheShellItBelongsToTheTransaction) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"shell"}, "begin --at +4\nremove vol\ncommit\n").exit, Exit::done);
    EXPECT_EQ(rtad.last_change().apply_transaction().at().in_s(), 4.0);
    EXPECT_EQ(rtad.run({"shell"}, "begin --at +4\nremove vol\ncommit --at +5\n").exit, Exit::done);
    EXPECT_EQ(rtad.last_change().apply_transaction().at().in_s(), 5.0);
    const Outcome inside = rtad.run({"shell"}, "begin\nadd gain x --at 4\ncommit\n");
    EXPECT_EQ(inside.exit, Exit::refused);
    EXPECT_TRUE(has(inside.err, "give them to begin or to commit, not to add")) << inside.err;
}

TEST(At, WhatFollowsARefusedBeginIsNotApplied) {
    for (const std::string begin : {"begin --at nope", "begin --expect x", "begin --wrong"}) {
        FakeRtad rtad;
        const Outcome refused = rtad.run({"shell"}, begin + "\nremove vol\ncommit\nset vol.gain_db=-3\n");
        EXPECT_EQ(refused.exit, Exit::refused) << begin;
        EXPECT_TRUE(has(refused.err, "transaction refused because of line 1")) << refused.err;
        EXPECT_EQ(rtad.change_count(), 1U) << begin << ": only the line after the transaction";
    }
}

TEST(Pending, ListsAndCancels) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"pending"}).out,
              "ID  FRAME   TIME                  AUTHOR  CLIENT  EDIT\n"
              "3   480000  2026-12-01T20:15:00Z  desk    cues    set vol.gain_db\n");
    EXPECT_EQ(rtad.run({"cancel", "3"}).out, "cancelled edit 3: set vol.gain_db\n");
    EXPECT_EQ(rtad.last_change().cancel_pending().id(), 3U);
    for (const char* const word : {"x", "-1", "3 ", "1.5", ""}) {
        const Outcome outcome = rtad.run({"cancel", word});
        EXPECT_EQ(outcome.exit, Exit::usage) << word;
    }
    EXPECT_TRUE(has(rtad.run({"cancel", "x"}).err, "\"x\" is not the id of an edit; expected a whole number"));
    FakeRtad idle{[](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_list_pending()) return std::nullopt;
        v1::Response response = ok(request);
        response.mutable_list_pending();
        return Reply{.bytes = frame(response)};
    }};
    EXPECT_EQ(idle.run({"pending"}).out, "no edits wait for their time\n");
}

TEST(Pending, WatchDescribesItsEvents) {
    v1::Event event;
    event.set_number(7);
    v1::PendingChanged& changed = *event.mutable_pending_changed();
    changed.mutable_edit()->set_id(3);
    changed.mutable_edit()->set_frame(480'000);
    changed.mutable_edit()->set_author("desk");
    changed.mutable_edit()->set_client_name("cues");
    changed.mutable_edit()->set_summary("set vol.gain_db");
    changed.set_late_frames(64);
    changed.mutable_error()->set_message("unknown node \"vol\"");
    const std::vector<std::pair<v1::PendingChanged::What, std::string>> texts{
        {v1::PendingChanged::ADDED, "waits for frame 480000"},
        {v1::PendingChanged::CANCELLED, "was cancelled"},
        {v1::PendingChanged::COMMITTED, "took effect on time, frame 480000"},
        {v1::PendingChanged::LATE, "took effect 64 frames after frame 480000"},
        {v1::PendingChanged::FAILED, "no longer applies (unknown node \"vol\")"}};
    for (const auto& [what, text] : texts) {
        changed.set_what(what);
        EXPECT_EQ(rtactl::describe(event), "7: scheduled edit 3 by desk (\"cues\") " + text + ": set vol.gain_db");
    }
}

}  // namespace
}  // namespace rta::test
