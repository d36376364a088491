// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "fake_rtad.h"

namespace rta::test {
namespace {

using rtactl::Exit;

TEST(Shell, RunsTheSameCommandsOverOneConnection) {
    FakeRtad rtad;
    const Outcome outcome =
        rtad.run({"shell"}, "# comment\n\n  get osc.frequency_hz\r\nadd sine x # behind\nremove 'x'");
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    EXPECT_EQ(outcome.out,
              "osc.frequency_hz = 440 Hz\n"
              "added x (sine): revision 1, takes effect at frame 4096\n"
              "removed x: revision 2, takes effect at frame 4096\n");
    EXPECT_EQ(outcome.err, "");
    EXPECT_EQ(rtad.daemon().connections(), 1U);
}

TEST(Shell, GoesOnAfterARefusedLineAndSaysWhichItWas) {
    FakeRtad rtad{[](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_apply_transaction() || !request.apply_transaction().edits().edits(0).has_remove_node())
            return std::nullopt;
        return Reply{.bytes = frame(refusal(request, v1::NOT_FOUND, "unknown node \"x\""))};
    }};
    const Outcome outcome = rtad.run({"shell"}, "remove x\nfoo\nset osc\nadd sine 'y\nadd sine y\n");
    EXPECT_EQ(outcome.exit, Exit::refused);
    EXPECT_EQ(outcome.out, "added y (sine): revision 1, takes effect at frame 4096\n");
    EXPECT_EQ(outcome.err,
              "rtactl: line 1: unknown node \"x\"\n"
              "rtactl: line 2: unknown command \"foo\"; `help` lists all commands\n"
              "rtactl: line 3: \"osc\": expected NODE.PARAM=VALUE, such as osc.frequency_hz=440\n"
              "rtactl: line 4: column 10: missing closing '\n");
}

TEST(Shell, MakesOneTransactionOfTheLinesBetweenBeginAndCommit) {
    FakeRtad rtad;
    const Outcome outcome = rtad.run({"shell"},
                                     "begin\n"
                                     "remove vol\n"
                                     "add gain vol2 gain_db=-6dB\n"
                                     "connect osc vol2\n"
                                     "set vol2.mute=on osc.channels=2 --ramp 5\n"
                                     "disconnect a b\n"
                                     "play --add sine\n"
                                     "commit\n");
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    EXPECT_EQ(outcome.out,
              "commit will remove vol (2 connections: osc -> vol, vol -> out)\n"
              "removed vol (2 connections: osc -> vol, vol -> out)\n"
              "added vol2 (gain)\n"
              "connected osc -> vol2\n"
              "set vol2.mute = on\n"
              "set osc.channels = 2\n"
              "disconnected a -> b\n"
              "added sine -> output\n"
              "revision 1, takes effect at frame 4096\n");
    EXPECT_EQ(rtad.change_count(), 1U);
    const auto edits = rtad.last_change().apply_transaction().edits().edits();
    ASSERT_EQ(edits.size(), 9);
    EXPECT_EQ(edits.Get(0).remove_node().name(), "vol");
    EXPECT_EQ(edits.Get(1).add_node().parameters().at("gain_db"), -6.0F);
    EXPECT_TRUE(edits.Get(2).has_connect());
    EXPECT_TRUE(edits.Get(3).has_change_settings());
    EXPECT_EQ(edits.Get(4).set_parameter().value(), 1.0F) << "the unit of a node that the transaction itself adds";
    EXPECT_EQ(edits.Get(4).set_parameter().ramp_ms(), 5.0F);
    EXPECT_TRUE(edits.Get(5).has_disconnect());
    EXPECT_EQ(edits.Get(6).add_node().name(), "sine");
    EXPECT_EQ(edits.Get(7).add_node().name(), "output");
    EXPECT_TRUE(edits.Get(8).has_connect());
}

TEST(Shell, AsksForTheGraphOnceInATransaction) {
    FakeRtad rtad;
    std::string input = "begin\nadd gain early\n";
    for (int i = 0; i < 50; ++i) input += "set osc.gain_db=-" + std::to_string(i) + " early.mute=on\n";
    input += "remove early\nadd sine early\nset early.frequency_hz=2kHz\ncommit\n";
    const Outcome outcome = rtad.run({"shell"}, input);
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    const std::vector<v1::Request> requests = rtad.daemon().requests();
    EXPECT_EQ(std::ranges::count_if(requests, &v1::Request::has_get_graph), 1);
    const auto edits = rtad.last_change().apply_transaction().edits().edits();
    ASSERT_EQ(edits.size(), 104);
    EXPECT_EQ(edits.Get(103).set_parameter().value(), 2000.0F);
}

TEST(Shell, ChainsAddedInOneTransactionGetNamesOfTheirOwn) {
    FakeRtad rtad;
    const Outcome outcome = rtad.run({"shell"}, "begin\nplay --add sine\nplay --add sine\ncommit\n");
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    const auto edits = rtad.last_change().apply_transaction().edits().edits();
    ASSERT_EQ(edits.size(), 6);
    EXPECT_EQ(edits.Get(3).add_node().name(), "sine_2");
    EXPECT_EQ(edits.Get(4).add_node().name(), "output_2");
}

TEST(Shell, ReportsTheLineOfTheRejectedEdit) {
    FakeRtad rtad{[](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_apply_transaction()) return std::nullopt;
        v1::Response response = refusal(request, v1::NOT_FOUND, "unknown node \"b\"");
        response.mutable_status()->set_edit_index(2);
        return Reply{.bytes = frame(response)};
    }};
    const Outcome outcome = rtad.run({"shell"}, "begin\n\nadd sine x\n  remove a b\ncommit\n");
    EXPECT_EQ(outcome.exit, Exit::refused);
    EXPECT_EQ(outcome.err, "rtactl: line 4: \"remove a b\": unknown node \"b\"; no change was made\n");
}

TEST(Shell, ACommitThatIsHeardLateIsNotReportedAsUndone) {
    FakeRtad rtad{[](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_apply_transaction()) return std::nullopt;
        v1::Response response = refusal(request, v1::DEADLINE_EXCEEDED, "committed as revision 7, but not heard yet");
        response.mutable_apply_transaction()->set_revision(7);
        return Reply{.bytes = frame(response)};
    }};
    const Outcome outcome = rtad.run({"shell"}, "begin\nremove a\ncommit\nget osc.frequency_hz\n");
    EXPECT_EQ(outcome.exit, Exit::refused);
    EXPECT_EQ(outcome.err, "rtactl: line 3: committed as revision 7, but not heard yet\n");
    EXPECT_EQ(outcome.out, "osc.frequency_hz = 440 Hz\n") << "the connection is not lost";
}

TEST(Shell, CommitsNothingIfALineOfTheTransactionIsWrong) {
    FakeRtad rtad;
    const Outcome outcome = rtad.run({"shell"}, "begin\nadd sine x\nadd sine\ncommit\nremove y\n");
    EXPECT_EQ(outcome.exit, Exit::refused);
    EXPECT_TRUE(has(outcome.err, "line 3: missing argument")) << outcome.err;
    EXPECT_TRUE(has(outcome.err, "line 4: transaction refused because of line 3, \"add sine\"; no change was made"))
        << outcome.err;
    EXPECT_EQ(rtad.change_count(), 1U) << "the line behind the transaction is run";
    EXPECT_TRUE(rtad.last_change().apply_transaction().edits().edits(0).has_remove_node());
}

TEST(Shell, SaysWhatCannotBePartOfATransaction) {
    FakeRtad rtad;
    for (const std::string line : {"status", "devices", "types", "get osc", "graph save f", "graph load f",
                                   "graph check f", "graph clear", "watch", "play sine", "begin"}) {
        const Outcome outcome = rtad.run({"shell"}, "begin\n" + line + "\nabort\n");
        EXPECT_EQ(outcome.exit, Exit::refused) << line;
        EXPECT_TRUE(has(outcome.err, "line 2: ")) << outcome.err;
        EXPECT_TRUE(has(outcome.err, "transaction")) << outcome.err;
    }
    EXPECT_EQ(rtad.change_count(), 0U);
}

TEST(Shell, ShowsTheGraphWithTheEditsOfTheTransaction) {
    FakeRtad rtad;
    const Outcome outcome = rtad.run({"shell"},
                                     "begin\n"
                                     "rename osc tone\n"
                                     "add gain trim gain_db=-6dB channels=2\n"
                                     "set tone.frequency_hz=880 vol.mute=off\n"
                                     "disconnect tone vol\n"
                                     "connect tone trim gain_db=-3\n"
                                     "connect trim:out vol:in gain_db=0\n"
                                     "remove out\n"
                                     "graph compensate\n"
                                     "graph show\n"
                                     "abort\n");
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    EXPECT_EQ(
        outcome.out,
        "commit will remove out (1 connection: vol -> out)\n"
        "{\n"
        "  \"nodes\": [\n"
        "    {\"name\": \"tone\", \"type\": \"sine\", \"parameters\": {\"frequency_hz\": 880, \"gain_db\": -20}},\n"
        "    {\"name\": \"trim\", \"type\": \"gain\", \"settings\": {\"channels\": 2}, \"parameters\": "
        "{\"bypass\": 0, \"gain_db\": -6, \"mute\": 0}},\n"
        "    {\"name\": \"vol\", \"type\": \"gain\", \"parameters\": {\"bypass\": 0, \"gain_db\": -12.5, \"mute\": 0}}\n"
        "  ],\n"
        "  \"connections\": [\n"
        "    {\"from\": \"tone\", \"to\": \"trim\", \"gain_db\": -3},\n"
        "    {\"from\": \"trim\", \"to\": \"vol\"}\n"
        "  ],\n"
        "  \"latency_compensation\": true\n"
        "}\n");
    EXPECT_EQ(rtad.change_count(), 0U);
    const Outcome json = rtad.run({"--json", "shell"}, "begin\nremove osc\ngraph show\nabort\n");
    EXPECT_EQ(std::ranges::count(json.out, '\n'), 1) << json.out;
    const auto response = parse_json<v1::Response>(json.out);
    EXPECT_EQ(response.get_graph().graph().nodes_size(), 2);
    EXPECT_TRUE(has(response.get_graph().document(), "\"vol\"")) << json.out;
}

TEST(Shell, AbortDropsTheTransaction) {
    FakeRtad rtad;
    const Outcome outcome = rtad.run({"shell"}, "begin\nremove a\nabort\nremove b\n");
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    EXPECT_EQ(rtad.change_count(), 1U);
    EXPECT_EQ(rtad.last_change().apply_transaction().edits().edits(0).remove_node().name(), "b");
}

TEST(Shell, ATransactionLeftOpenIsNotDone) {
    FakeRtad rtad;
    for (const std::string end : {"", "quit\nremove b\n"}) {
        const Outcome outcome = rtad.run({"shell"}, "\nbegin\nremove a\n" + end);
        EXPECT_EQ(outcome.exit, Exit::refused);
        EXPECT_TRUE(has(outcome.err, "line 2: the transaction started here was not committed")) << outcome.err;
    }
    EXPECT_EQ(rtad.change_count(), 0U);
}

TEST(Shell, CommitAndAbortNeedABegin) {
    FakeRtad rtad;
    const Outcome outcome = rtad.run({"shell"}, "commit\nabort\n");
    EXPECT_EQ(outcome.exit, Exit::refused);
    EXPECT_TRUE(has(outcome.err, "line 1: no transaction to commit")) << outcome.err;
    EXPECT_TRUE(has(outcome.err, "line 2: no transaction to abort")) << outcome.err;
}

TEST(Shell, APersonCanCorrectALineOfATransaction) {
    FakeRtad rtad;
    const Outcome outcome = rtad.run({"shell"}, "begin\nadd sine\nadd sine x\ncommit\n", true);
    EXPECT_EQ(outcome.exit, Exit::refused) << "a line was refused";
    EXPECT_EQ(outcome.out,
              "rtactl> begin> begin> begin> added x (sine): revision 1, takes effect at frame 4096\nrtactl> \n");
    EXPECT_EQ(outcome.err, "rtactl: missing argument; usage: add TYPE NAME [p=v...]\n");
    EXPECT_EQ(rtad.change_count(), 1U);
}

TEST(Shell, ShowsNoPromptWithJson) {
    FakeRtad rtad;
    const Outcome outcome = rtad.run({"--json", "shell"}, "remove a\n", true);
    EXPECT_TRUE(outcome.out.starts_with("{")) << outcome.out;
    EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 1) << outcome.out;
}

TEST(Shell, PrintsALineOfJsonForEveryRefusedLine) {
    FakeRtad rtad{[](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_apply_transaction() || !request.apply_transaction().edits().edits(0).has_remove_node())
            return std::nullopt;
        v1::Response response = refusal(request, v1::NOT_FOUND, "unknown node \"x\"");
        response.mutable_status()->set_edit_index(0);
        return Reply{.bytes = frame(response)};
    }};
    const Outcome outcome = rtad.run({"--json", "shell"}, "add sine y\nfoo\nbegin\nremove x\ncommit\nbegin\n");
    EXPECT_EQ(outcome.exit, Exit::refused);
    EXPECT_EQ(outcome.err, "");
    std::vector<v1::Response> responses;
    std::istringstream lines{outcome.out};
    for (std::string line; std::getline(lines, line);) responses.push_back(parse_json<v1::Response>(line));
    ASSERT_EQ(responses.size(), 4U) << outcome.out;
    EXPECT_EQ(responses[0].status().code(), v1::OK);
    EXPECT_EQ(responses[1].status().code(), v1::INVALID_ARGUMENT);
    EXPECT_TRUE(has(responses[1].status().message(), "line 2: unknown command \"foo\"")) << outcome.out;
    EXPECT_EQ(responses[2].status().code(), v1::NOT_FOUND);
    EXPECT_EQ(responses[2].status().edit_index(), 0U);
    EXPECT_TRUE(responses[2].status().message().starts_with("line 4: ")) << outcome.out;
    EXPECT_TRUE(has(responses[3].status().message(), "line 6: the transaction started here")) << outcome.out;
}

TEST(Shell, StopsWhenThereIsNoDaemon) {
    const Outcome outcome = run_rtactl({"--socket", "/nonexistent", "shell"}, "help\nstatus\nstatus\n");
    EXPECT_EQ(outcome.exit, Exit::cannot_connect);
    EXPECT_TRUE(has(outcome.out, "commit"));
    EXPECT_TRUE(has(outcome.err, "line 2: cannot connect to rtad at /nonexistent"));
    EXPECT_FALSE(has(outcome.err, "line 3"));
}

TEST(Shell, TakesNonsense) {
    FakeRtad rtad;
    const std::string nonsense =
        std::string("\0\xff\x1b\n", 4) + std::string(999'999, '"') + "\n" + std::string(1'000'000, 'x') + "\n\\\n";
    const Outcome outcome = rtad.run({"shell"}, nonsense);
    EXPECT_EQ(outcome.exit, Exit::refused);
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 4) << outcome.err;
    EXPECT_LT(outcome.err.size(), 1'000U);
    EXPECT_EQ(rtad.run({"shell"}, "").exit, Exit::done);
    EXPECT_EQ(rtad.run({"shell"}, "graph load -\n").exit, Exit::refused) << "that would eat the shell's own lines";
}

}  // namespace
}  // namespace rta::test
