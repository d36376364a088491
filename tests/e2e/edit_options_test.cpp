// SPDX-License-Identifier: MIT
// rtactl --expect and --dry-run, and saved documents that are behind, with a running daemon.
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "document/document.h"
#include "support/daemon.h"
#include "support/json.h"

namespace rta::test {
namespace {

constexpr ExitStatus kDone{0, 0};
constexpr ExitStatus kRefused{1, 0};

constexpr const char* kChain = R"({"nodes": [
    {"name": "osc", "type": "sine", "parameters": {"frequency_hz": 440}},
    {"name": "vol", "type": "gain", "parameters": {"gain_db": -6}},
    {"name": "eq", "type": "equalizer", "settings": {"bands": 3, "kind_3": "notch"}},
    {"name": "out", "type": "output", "settings": {"channels": 2}}],
  "connections": [{"from": "osc", "to": "vol"}, {"from": "vol", "to": "eq", "gain_db": -3}, {"from": "eq", "to": "out"}]})";

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class EditOptions : public testing::Test {
 protected:
    RunResult ctl(std::vector<std::string> arguments, std::string_view input = {}) {
        return daemon_.ctl(std::move(arguments), input);
    }
    std::string done(std::vector<std::string> arguments, std::string_view input = {}) {
        const RunResult result = ctl(std::move(arguments), input);
        EXPECT_EQ(result.status, kDone) << result.error;
        return result.output;
    }
    std::string refused(std::vector<std::string> arguments, std::string_view input = {}) {
        const RunResult result = ctl(std::move(arguments), input);
        EXPECT_EQ(result.status, kRefused) << result.output << result.error;
        return result.error;
    }
    std::string document() { return client_.graph().document(); }
    std::uint64_t revision() { return client_.graph().revision(); }

    TemporaryDirectory directory_;
    Daemon daemon_{{.arguments = {"--device", "null"}}};
    ProtocolClient client_ = daemon_.client("desk");
};

/// Returns the edits that a dry run prints, each in an indented line, as a transaction for the shell.
std::string transaction_of(const std::string& dry_run) {
    std::istringstream lines{dry_run};
    std::string text = "begin\n";
    std::string line;
    while (std::getline(lines, line)) {
        if (line.starts_with("  ")) text += line + "\n";
    }
    return text + "commit\n";
}

TEST_F(EditOptions, ADryRunShowsWhatTheEditDoesAndChangesNothing) {
    const std::string file = directory_ / "other.json";
    write_text(file, R"({"nodes": [{"name": "vol", "type": "gain", "settings": {"channels": 2}},
                                   {"name": "osc", "type": "noise", "settings": {"seed": 3}},
                                   {"name": "out", "type": "output", "settings": {"channels": 2}}],
                        "connections": [{"from": "osc", "to": "out"}], "latency_compensation": true})");
    const std::string list = directory_ / "list.txt";
    write_text(list, "Preamp: -3 dB\nFilter 1: ON PK Fc 105 Hz Gain 2.6 dB Q 0.7\n");
    const std::vector<std::vector<std::string>> edits{{"add", "delay_line", "echo", "time_ms=250"},
                                                      {"remove", "vol"},
                                                      {"remove", "--bridge", "vol"},
                                                      {"rename", "vol", "level"},
                                                      {"connect", "osc", "out", "gain_db=-20"},
                                                      {"connect", "osc", "vol", "gain_db=-1"},
                                                      {"disconnect", "osc", "vol"},
                                                      {"insert", "gain", "trim", "osc", "vol", "gain_db=-3"},
                                                      {"set", "vol.gain_db=-12", "osc.frequency_hz=1kHz"},
                                                      {"set", "vol.gain_db+=1.5", "vol.mute=toggle"},
                                                      {"set", "eq.bands=1", "vol.gain_db=-1"},
                                                      {"bypass", "vol"},
                                                      {"play", "sine:frequency_hz=220", "gain"},
                                                      {"play", "--add", "sine"},
                                                      {"graph", "load", file},
                                                      {"graph", "clear"},
                                                      {"graph", "compensate"},
                                                      {"import", "eq", list, "more", "osc", "vol"}};
    for (const std::vector<std::string>& edit : edits) {
        std::string name;
        for (const std::string& word : edit) name += word + " ";
        SCOPED_TRACE(name);
        client_.apply_document(kChain);
        const std::string before = document();
        const std::uint64_t at = revision();
        std::vector<std::string> dry = edit;
        dry.emplace_back("--dry-run");
        const std::string shown = done(dry);
        EXPECT_TRUE(shown.starts_with("dry run: would change revision " + std::to_string(at) + ":\n  ")) << shown;
        EXPECT_EQ(document(), before);
        EXPECT_EQ(revision(), at);
        done({"shell"}, transaction_of(shown));
        const std::string as_shown = document();
        EXPECT_NE(as_shown, before) << shown;
        client_.apply_document(kChain);
        done(edit);
        EXPECT_EQ(document(), as_shown) << shown;
    }
}

TEST_F(EditOptions, ADryRunOfATransactionShowsAllOfIt) {
    client_.apply_document(kChain);
    const std::string lines = "remove vol\nconnect osc eq\nset osc.frequency_hz=330\n";
    const std::string shown = done({"shell"}, "begin\n" + lines + "commit --dry-run\n");
    EXPECT_TRUE(has(shown, "dry run: would change revision 1:\n")) << shown;
    EXPECT_TRUE(has(shown, "  remove vol\n")) << shown;
    EXPECT_TRUE(has(shown, "  connect osc eq gain_db=0\n") || has(shown, "  connect osc eq\n")) << shown;
    EXPECT_TRUE(has(shown, "  set osc.frequency_hz=330\n")) << shown;
    EXPECT_EQ(revision(), 1U);
    EXPECT_TRUE(
        has(refused({"shell"}, "begin --dry-run\nremove vol\nremove ghost\ncommit\n"), "line 3: \"remove ghost\""));
    const std::string nothing = done({"set", "vol.gain_db=-6", "--dry-run"});
    EXPECT_TRUE(nothing.starts_with("dry run: would change nothing in revision 1\npredicted load: ")) << nothing;
    EXPECT_TRUE(nothing.ends_with(" %\n")) << nothing;
}

TEST_F(EditOptions, ADryRunWithJsonPrintsTheResponse) {
    client_.apply_document(kChain);
    const auto response = parse_json<v1::Response>(done({"--json", "remove", "vol", "--dry-run"}));
    const v1::CheckResult& result = response.check_graph();
    EXPECT_EQ(result.revision(), 1U);
    EXPECT_EQ(result.node_count(), 3U);
    ASSERT_EQ(result.diff_size(), 1);
    EXPECT_EQ(result.diff(0).remove_node().name(), "vol");
    const auto refusal = parse_json<v1::Response>(ctl({"--json", "remove", "ghost", "--dry-run"}).output);
    EXPECT_EQ(refusal.status().code(), v1::NOT_FOUND);
}

TEST_F(EditOptions, AnEditOfAnotherRevisionIsRefused) {
    client_.apply_document(kChain);
    done({"set", "vol.gain_db=-7", "--expect", "1"});
    done({"add", "gain", "x", "--expect", "1"});
    const std::string before = document();
    const std::string expected =
        "rtactl: the graph is at revision 2, not at the expected revision 1; the latest change is that "
        "of ";
    for (const std::vector<std::string>& edit : {std::vector<std::string>{"add", "gain", "y"},
                                                 {"set", "vol.gain_db=-8"},
                                                 {"bypass", "vol"},
                                                 {"graph", "clear"},
                                                 {"graph", "clear", "--dry-run"}}) {
        std::vector<std::string> words = edit;
        words.insert(words.end(), {"--expect", "1"});
        const std::string error = refused(words);
        EXPECT_TRUE(error.starts_with(expected)) << error;
        EXPECT_TRUE(has(error, "(client \"rtactl\"); nothing has changed")) << error;
    }
    EXPECT_TRUE(has(refused({"shell"}, "begin --expect 1\nremove x\ncommit\n"), "expected revision 1"));
    EXPECT_EQ(document(), before);
    const auto response = parse_json<v1::Response>(ctl({"--json", "graph", "clear", "--expect", "1"}).output);
    EXPECT_EQ(response.status().code(), v1::ABORTED);
    EXPECT_EQ(response.status().conflict().revision(), 2U);
    EXPECT_EQ(response.status().conflict().client_name(), "rtactl");
}

TEST_F(EditOptions, ADocumentThatIsBehindIsRefusedAndLoadedByForce) {
    const std::string file = directory_ / "saved.json";
    client_.apply_document(kChain);
    done({"graph", "save", file});
    const auto saved = read_document(read_text(file));
    ASSERT_TRUE(saved) << saved.error().sentence;
    EXPECT_EQ(saved->origin.revision, 1U);
    EXPECT_EQ(saved->origin.instance, client_.status().instance_id());
    EXPECT_EQ(run_rtad({"check", file}).status, kDone);
    EXPECT_TRUE(has(done({"graph", "diff", file}), "no difference"));
    done({"graph", "load", file});
    client_.apply_document(R"({"nodes": [{"name": "mine", "type": "gain"}]})");
    const std::string mine = document();
    const std::string error = refused({"graph", "load", file});
    EXPECT_TRUE(error.starts_with("rtactl: " + file +
                                  ": the document is 2 revisions behind: it was saved at revision 1, and the "
                                  "graph is at revision 3, last changed by "))
        << error;
    EXPECT_TRUE(error.ends_with("(client \"desk\"); to replace the graph nevertheless, use --force\n")) << error;
    EXPECT_EQ(document(), mine);
    EXPECT_EQ(revision(), 3U);
    EXPECT_TRUE(has(refused({"graph", "load", "--dry-run", file}), "2 revisions behind"));
    EXPECT_TRUE(has(done({"graph", "load", "--dry-run", "--force", file}), "  remove mine\n"));
    done({"graph", "load", file, "--force"});
    EXPECT_EQ(revision(), 4U);
    EXPECT_TRUE(has(document(), "\"osc\""));
}

TEST_F(EditOptions, ADocumentOfAnEarlierInstanceIsLoaded) {
    const std::string file = directory_ / "saved.json";
    {
        const Daemon earlier{{.arguments = {"--device", "null"}}};
        ASSERT_EQ(earlier.ctl({"play", "sine"}).status, kDone);
        ASSERT_EQ(earlier.ctl({"graph", "save", file}).status, kDone);
    }
    for (int i = 0; i < 3; ++i) client_.apply_document(kChain);
    done({"graph", "load", file});
    EXPECT_EQ(client_.graph().graph().nodes_size(), 2);
}

/// Both load what they have saved at the same revision: one of them overwrites nothing.
TEST_F(EditOptions, OfTwoPeopleWhoLoadAtTheSameTimeOneIsRefused) {
    for (int round = 0; round < 5; ++round) {
        client_.apply_document(kChain);
        const std::string file = directory_ / "saved.json";
        done({"graph", "save", file});
        const std::uint64_t at = revision();
        std::vector<ExitStatus> statuses(2);
        std::vector<std::thread> people;
        for (ExitStatus& status : statuses)
            people.emplace_back([&] { status = daemon_.ctl({"graph", "load", file}).status; });
        for (std::thread& person : people) person.join();
        EXPECT_EQ(revision(), at + 1);
        EXPECT_NE(statuses[0] == kDone, statuses[1] == kDone);
        EXPECT_TRUE(statuses[0] == kRefused || statuses[1] == kRefused);
    }
}

}  // namespace
}  // namespace rta::test
