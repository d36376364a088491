// SPDX-License-Identifier: MIT
// --expect and --dry-run, and documents that are behind, with a fake daemon.
#include <gtest/gtest.h>

#include "every_edit.h"
#include "fake_rtad.h"
#include "support/temporary.h"

namespace rta::test {
namespace {

using rtactl::Exit;

std::string text_of(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text.append(text.empty() ? "" : " ").append(word);
    return text;
}

v1::Guard guard_of(const v1::Request& request) {
    if (request.has_check_graph()) return request.check_graph().guard();
    return request.has_set_parameters() ? request.set_parameters().guard() : request.apply_transaction().guard();
}

class EditOptions : public testing::Test {
 protected:
    EveryEdit edits_;
    const std::string& document_ = edits_.document();
};

TEST_F(EditOptions, EveryEditTakesAnExpectedRevision) {
    FakeRtad rtad;
    for (std::vector<std::string> words : edits_.commands()) {
        SCOPED_TRACE(text_of(words));
        EXPECT_EQ(rtad.run(words).exit, Exit::done);
        EXPECT_FALSE(guard_of(rtad.last_change()).has_expected_revision());
        words.insert(words.end(), {"--expect", "17"});
        const Outcome outcome = rtad.run(words);
        EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
        EXPECT_EQ(guard_of(rtad.last_change()).expected_revision(), 17U);
        EXPECT_FALSE(rtad.last_change().has_check_graph());
    }
}

TEST_F(EditOptions, ADryRunOfEveryEditChangesNothing) {
    FakeRtad rtad;
    for (std::vector<std::string> words : edits_.commands()) {
        SCOPED_TRACE(text_of(words));
        words.insert(words.end(), {"--dry-run", "--expect=3"});
        const Outcome outcome = rtad.run(words);
        EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
        EXPECT_TRUE(outcome.out.starts_with("dry run: would change ")) << outcome.out;
        const v1::Request request = rtad.last_change();
        ASSERT_TRUE(request.has_check_graph());
        EXPECT_TRUE(request.check_graph().with_diff());
        EXPECT_EQ(guard_of(request).expected_revision(), 3U);
        EXPECT_NE(request.check_graph().content_case(), v1::CheckGraph::CONTENT_NOT_SET);
    }
    for (const v1::Request& request : rtad.daemon().requests()) {
        EXPECT_FALSE(request.has_apply_transaction());
        EXPECT_FALSE(request.has_set_parameters());
    }
}

TEST_F(EditOptions, ADryRunPrintsWhatWouldChange) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"set", "vol.gain_db=-6", "vol.mute=off", "--ramp", "5", "--dry-run"}).out,
              "dry run: would change revision 0:\n  set vol.gain_db=-6 --ramp 5\n  set vol.mute=0 --ramp 5\n");
    EXPECT_EQ(rtad.run({"graph", "clear", "--dry-run"}).out, "dry run: would change nothing in revision 0\n");
    const Outcome json = rtad.run({"--json", "remove", "vol", "--dry-run"});
    const auto response = parse_json<v1::Response>(json.out);
    EXPECT_EQ(response.check_graph().diff(0).remove_node().name(), "vol");
    EXPECT_TRUE(has(json.out, "\"diff\":[{\"remove_node\":{\"name\":\"vol\"}}]")) << json.out;
}

TEST_F(EditOptions, AMaximumLoadIsAPercentage) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"add", "gain", "x", "--max-load", "80%"}).exit, Exit::done);
    EXPECT_FLOAT_EQ(rtad.last_change().apply_transaction().max_load(), 0.8F);
    EXPECT_EQ(rtad.run({"graph", "clear", "--max-load=62.5 %"}).exit, Exit::done);
    EXPECT_FLOAT_EQ(rtad.last_change().apply_transaction().max_load(), 0.625F);
    EXPECT_EQ(rtad.run({"shell"}, "begin --max-load 50\nremove vol\ncommit\n").exit, Exit::done);
    EXPECT_FLOAT_EQ(rtad.last_change().apply_transaction().max_load(), 0.5F);
    EXPECT_EQ(rtad.run({"remove", "vol"}).exit, Exit::done);
    EXPECT_FALSE(rtad.last_change().apply_transaction().has_max_load());
    for (const char* const load : {"", "0%", "101%", "-5%", "x", "80%%", "nan"}) {
        const Outcome outcome = rtad.run({"graph", "clear", std::string{"--max-load="} + load});
        EXPECT_EQ(outcome.exit, Exit::usage) << load;
        EXPECT_TRUE(has(outcome.err, "expected a percentage")) << outcome.err;
    }
    // The fake daemon predicts nothing.
    const Outcome dry = rtad.run({"remove", "vol", "--dry-run", "--max-load", "80%"});
    EXPECT_EQ(dry.exit, Exit::refused);
    EXPECT_TRUE(has(dry.err, "the load cannot be predicted")) << dry.err;
}

TEST_F(EditOptions, InTheShellTheyBelongToTheTransaction) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"shell"}, "begin --expect 4\nremove vol\ncommit\n").exit, Exit::done);
    EXPECT_EQ(guard_of(rtad.last_change()).expected_revision(), 4U);
    EXPECT_EQ(rtad.run({"shell"}, "begin --expect 4\nremove vol\ncommit --expect 5\n").exit, Exit::done);
    EXPECT_EQ(guard_of(rtad.last_change()).expected_revision(), 5U);
    for (const char* const lines : {"begin --dry-run\nremove vol\ncommit\n", "begin\nremove vol\ncommit --dry-run\n"}) {
        const Outcome dry = rtad.run({"shell"}, lines);
        EXPECT_EQ(dry.exit, Exit::done) << dry.err;
        EXPECT_TRUE(dry.out.ends_with("dry run: would change revision 2:\n  remove vol\n")) << dry.out;
        EXPECT_TRUE(rtad.last_change().has_check_graph());
    }
    const Outcome inside = rtad.run({"shell"}, "begin\nadd gain x --expect 4\ncommit\n");
    EXPECT_EQ(inside.exit, Exit::refused);
    EXPECT_TRUE(has(inside.err, "give them to begin or to commit, not to add")) << inside.err;
    // The options of one line do not apply to the next.
    EXPECT_EQ(rtad.run({"shell"}, "add gain x --expect 4 --dry-run\nadd gain y\n").exit, Exit::done);
    EXPECT_FALSE(guard_of(rtad.last_change()).has_expected_revision());
    EXPECT_TRUE(rtad.last_change().has_apply_transaction());
}

TEST_F(EditOptions, AnInvalidRevisionIsAUsageError) {
    FakeRtad rtad;
    for (const char* const revision : {"", "x", "-1", "1.5", "18446744073709551616", "1 "}) {
        const Outcome outcome = rtad.run({"graph", "clear", std::string{"--expect="} + revision});
        EXPECT_EQ(outcome.exit, Exit::usage) << revision;
        EXPECT_TRUE(has(outcome.err, "is not a revision; expected a whole number")) << outcome.err;
    }
    EXPECT_EQ(rtad.run({"status", "--dry-run"}).exit, Exit::usage);
    EXPECT_EQ(rtad.daemon().requests().size(), 0U);
}

/// Refuses every guarded change, as a daemon at revision 9.
std::optional<Reply> at_revision_nine(const v1::Request& request) {
    if (!request.has_apply_transaction() && !request.has_check_graph()) return std::nullopt;
    if (!guard_of(request).has_expected_revision() || guard_of(request).expected_revision() == 9) return std::nullopt;
    v1::Response response = test::refusal(request, v1::ABORTED, "the graph is at revision 9");
    v1::Conflict& conflict = *response.mutable_status()->mutable_conflict();
    conflict.set_revision(9);
    conflict.set_author("uid 1000");
    conflict.set_client_name("desk");
    return Reply{.bytes = frame(response)};
}

TEST_F(EditOptions, ADocumentThatIsBehindIsLoadedByForceOnly) {
    FakeRtad rtad{at_revision_nine};
    write_text(document_, R"({"revision": 7, "instance": "instance"})");
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"graph", "load", document_}, {"graph", "load", "--dry-run", document_}}) {
        const Outcome behind = rtad.run(words);
        EXPECT_EQ(behind.exit, Exit::refused);
        EXPECT_EQ(behind.err,
                  "rtactl: " + document_ +
                      ": the document is 2 revisions behind: it was saved at revision 7, and the graph is at "
                      "revision 9, last changed by uid 1000 (client \"desk\"); to replace the graph "
                      "nevertheless, use --force\n");
    }
    EXPECT_EQ(guard_of(rtad.last_change()).expected_revision(), 7U);
    const Outcome json = rtad.run({"--json", "graph", "load", document_});
    const auto response = parse_json<v1::Response>(json.out);
    EXPECT_EQ(response.status().conflict().client_name(), "desk");
    EXPECT_TRUE(has(response.status().message(), "2 revisions behind")) << json.out;
    EXPECT_EQ(rtad.run({"graph", "load", document_, "--force"}).exit, Exit::done);
    EXPECT_FALSE(guard_of(rtad.last_change()).has_expected_revision());
    EXPECT_EQ(rtad.run({"graph", "load", document_, "--expect", "9"}).exit, Exit::done);

    write_text(document_, R"({"revision": 8, "instance": "instance"})");
    EXPECT_TRUE(has(rtad.run({"graph", "load", document_}).err, "the document is 1 revision behind"));
    write_text(document_, R"({"revision": 9, "instance": "instance"})");
    EXPECT_EQ(rtad.run({"graph", "load", document_}).exit, Exit::done);
    EXPECT_EQ(guard_of(rtad.last_change()).expected_revision(), 9U);
}

TEST_F(EditOptions, ADocumentOfAnotherInstanceIsLoadedAsItIs) {
    FakeRtad rtad{at_revision_nine};
    for (const char* const text : {R"({"revision": 7, "instance": "another"})", R"({"revision": 7})", R"({})"}) {
        write_text(document_, text);
        EXPECT_EQ(rtad.run({"graph", "load", document_}).exit, Exit::done) << text;
        EXPECT_FALSE(rtad.last_change().apply_transaction().has_guard()) << text;
        EXPECT_EQ(rtad.last_change().apply_transaction().document(), text);
    }
}

TEST_F(EditOptions, SavingAsksForTheRevisionAndShowingDoesNot) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"graph", "save", document_}).exit, Exit::done);
    EXPECT_TRUE(rtad.daemon().requests().back().get_graph().with_origin());
    EXPECT_EQ(rtad.run({"graph", "show"}).exit, Exit::done);
    EXPECT_FALSE(rtad.daemon().requests().back().get_graph().with_origin());
}

TEST_F(EditOptions, TheHelpShowsThemOnceAndWithEveryEdit) {
    const std::string help = run_rtactl({"--help"}).out;
    const std::size_t first = help.find("--expect REVISION");
    ASSERT_NE(first, std::string::npos);
    EXPECT_EQ(help.find("--expect REVISION", first + 1), std::string::npos);
    for (const std::vector<std::string>& words : edits_.commands()) {
        std::vector<std::string> command{words[0]};
        if (words[0] == "graph" || words[0] == "import") command.push_back(words[1]);
        command.emplace_back("--help");
        const std::string page = run_rtactl(command).out;
        EXPECT_TRUE(has(page, "[--expect REVISION] [--dry-run] [--max-load PERCENT]")) << page;
        EXPECT_TRUE(has(page, "Make the change only if the graph is at this revision")) << page;
    }
}

}  // namespace
}  // namespace rta::test
