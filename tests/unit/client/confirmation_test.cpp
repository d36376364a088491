// SPDX-License-Identifier: MIT
// --confirm-within and confirm, and the events about edits that wait for their confirmation, with a fake daemon.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "every_edit.h"
#include "fake_rtad.h"
#include "rtactl/drawing/event_text.h"

namespace rta::test {
namespace {

using rtactl::Exit;

constexpr const char* kHint = "(reverted in 30 s unless `rtactl confirm` comes)\n";

TEST(ConfirmWithin, EveryEditTakesIt) {
    FakeRtad rtad;
    const EveryEdit edits;
    for (std::vector<std::string> words : edits.commands()) {
        SCOPED_TRACE(words.front());
        words.insert(words.end(), {"--confirm-within", "2min"});
        const Outcome outcome = rtad.run(words);
        EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
        const v1::Request request = rtad.last_change();
        ASSERT_TRUE(request.has_apply_transaction()) << "parameters alone could not be reverted";
        EXPECT_EQ(request.apply_transaction().confirm_within_s(), 120U);
        EXPECT_TRUE(has(outcome.out, kHint)) << outcome.out;
    }
    for (const std::string command : {"undo", "redo"}) {
        const Outcome outcome = rtad.run({command, "--confirm-within=30s"});
        EXPECT_TRUE(has(outcome.out, kHint)) << outcome.out << outcome.err;
        const v1::Request request = rtad.last_change();
        EXPECT_EQ(command == "undo" ? request.undo().confirm_within_s() : request.redo().confirm_within_s(), 30U);
    }
    EXPECT_EQ(rtad.run({"set", "vol.gain_db=-6"}).exit, Exit::done);
    EXPECT_TRUE(rtad.last_change().has_set_parameters());
}

TEST(ConfirmWithin, RefusesOtherTimes) {
    FakeRtad rtad;
    for (const char* const text : {"", "0", "0.5s", "601", "11min", "1.5", "-1", "2Hz", "soon"}) {
        const Outcome outcome = rtad.run({"remove", "vol", std::string{"--confirm-within="} + text});
        EXPECT_EQ(outcome.exit, Exit::usage) << text;
        EXPECT_TRUE(has(outcome.err, "--confirm-within: ")) << outcome.err;
    }
    const Outcome both = rtad.run({"remove", "vol", "--confirm-within", "5s", "--at", "+1"});
    EXPECT_EQ(both.exit, Exit::usage);
    EXPECT_TRUE(has(both.err, "--at and --confirm-within: expected one of the two")) << both.err;
    EXPECT_EQ(rtad.run({"status", "--confirm-within", "5s"}).exit, Exit::usage);
    EXPECT_EQ(rtad.change_count(), 0U);
}

TEST(ConfirmWithin, InTheShellItBelongsToTheTransaction) {
    FakeRtad rtad;
    const Outcome outcome = rtad.run({"shell"}, "begin --confirm-within 4\nremove vol\ncommit\nconfirm\n");
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    EXPECT_TRUE(has(outcome.out, "unless `confirm` comes")) << outcome.out;
    EXPECT_TRUE(rtad.last_change().has_confirm());
    EXPECT_EQ(rtad.run({"shell"}, "begin --confirm-within 4\nremove vol\ncommit\n").exit, Exit::done);
    EXPECT_EQ(rtad.last_change().apply_transaction().confirm_within_s(), 4U);
    EXPECT_EQ(rtad.run({"shell"}, "begin --at +4\nremove vol\ncommit --confirm-within 4\n").exit, Exit::refused);
    const Outcome inside = rtad.run({"shell"}, "begin\nadd gain x --confirm-within 4\ncommit\n");
    EXPECT_TRUE(has(inside.err, "give them to begin or to commit, not to add")) << inside.err;
}

TEST(ConfirmWithin, TheDeviceOutputIsNotAnEditOfTheGraph) {
    FakeRtad rtad;
    for (const std::vector<std::string>& words : {std::vector<std::string>{"mute", "--dry-run"},
                                                  {"unmute", "--at", "+2"},
                                                  {"mute", "--confirm-within", "5s"}}) {
        const Outcome outcome = rtad.run(words);
        EXPECT_EQ(outcome.exit, Exit::usage);
        EXPECT_TRUE(has(outcome.err, "not to the device output; expected a NODE")) << outcome.err;
    }
    EXPECT_EQ(rtad.change_count(), 0U);
    EXPECT_EQ(rtad.run({"mute"}).exit, Exit::done);
}

TEST(Confirm, ConfirmsOrReverts) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"confirm"}).out, "confirmed the edit of desk: add gain_1\n");
    EXPECT_FALSE(rtad.last_change().confirm().has_id());
    EXPECT_EQ(rtad.run({"confirm", "5"}).exit, Exit::done);
    EXPECT_EQ(rtad.last_change().confirm().id(), 5U);
    const Outcome reverted = rtad.run({"confirm", "--revert", "5"});
    EXPECT_EQ(reverted.out,
              "undid step 1 of desk: add gain_1: revision 9, takes effect at frame 640\n"
              "(rebuilt, without their previous state: echo)\n");
    EXPECT_EQ(rtad.last_change().revert().id(), 5U);
    EXPECT_TRUE(rtad.last_change().revert().wait_for_start());
    EXPECT_EQ(parse_json<v1::Response>(rtad.run({"--json", "confirm"}).out).confirm().confirmation().id(), 5U);
    EXPECT_EQ(parse_json<v1::Response>(rtad.run({"--json", "confirm", "--revert"}).out).revert().revision(), 9U);
    const Outcome wrong = rtad.run({"confirm", "x"});
    EXPECT_EQ(wrong.exit, Exit::usage);
    EXPECT_TRUE(has(wrong.err, "\"x\" is not the id of a confirmation; expected a whole number")) << wrong.err;
}

TEST(Confirm, StatusAndPendingShowWhatWaits) {
    FakeRtad rtad{[](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_get_status()) return std::nullopt;
        v1::Response response = ok(request);
        *response.mutable_get_status() = fake_status();
        *response.mutable_get_status()->mutable_confirmation() = fake_confirmation();
        return Reply{.bytes = frame(response)};
    }};
    const std::string line = "edit 5 of desk, add gain_1, is reverted in 30 s unless `rtactl confirm` comes\n";
    EXPECT_TRUE(has(rtad.run({"status"}).out, "confirm     " + line)) << rtad.run({"status"}).out;
    EXPECT_TRUE(rtad.run({"pending"}).out.ends_with(line)) << rtad.run({"pending"}).out;
}

TEST(Confirm, WatchDescribesItsEvents) {
    v1::Event event;
    event.set_number(7);
    v1::ConfirmationChanged& changed = *event.mutable_confirmation_changed();
    *changed.mutable_confirmation() = fake_confirmation();
    changed.mutable_error()->set_message("no file");
    using Changed = v1::ConfirmationChanged;
    const std::vector<std::tuple<Changed::What, std::string, std::string>> texts{
        {Changed::OPENED, "", "waits for its confirmation: it is reverted in 30 s"},
        {Changed::CONFIRMED, "stage", "was confirmed by stage"},
        {Changed::REVERTED, "stage", "was reverted by stage"},
        {Changed::REVERTED, "", "was not confirmed in time and is reverted"},
        {Changed::FAILED, "", "stays, because it cannot be reverted (no file)"}};
    for (const auto& [what, author, text] : texts) {
        changed.set_what(what);
        changed.set_author(author);
        EXPECT_EQ(rtactl::describe(event), "7: the edit by desk (\"rtactl\"), add gain_1, " + text);
    }
}

}  // namespace
}  // namespace rta::test
