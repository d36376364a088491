// SPDX-License-Identifier: MIT
// Documents as people write them: units, switches, comments, titles, and values for other sample rates, wherever the
// programs read documents.
#include <google/protobuf/struct.pb.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "rta/v1/control.pb.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/json.h"
#include "support/temporary.h"
#include "support/wav.h"

namespace rta::test {
namespace {

constexpr ExitStatus kDone{0, 0};

constexpr const char* kWritten = R"(// The foyer.
{
  "title": "Foyer",
  "description": "One tone.",
  "nodes": [
    {"name": "osc", "type": "sine", "parameters": {"frequency_hz": "1 kHz", "gain_db": "-6 dB"}},
    // 0.25 s at most
    {"name": "late", "type": "delay_line", "settings": {"max_time_ms": "0.25 s"},
     "parameters": {"time_ms": "2 ms", "mix": "100%", "bypass": "off"}},
    {"name": "lp", "type": "biquad_filter", "title": "Treble", "parameters": {"frequency_hz": "40 kHz"}},
    {"name": "vol", "type": "gain", "parameters": {"invert": true, "mute": false}},
    {"name": "out", "type": "output"}
  ],
  "connections": [
    {"from": "osc", "to": "late"}, {"from": "late", "to": "lp"},
    {"from": "lp", "to": "vol", "gain_db": "-3 dB"}, {"from": "vol", "to": "out"}
  ]
}
)";

/// The same graph in numbers, at 48 kHz.
constexpr const char* kNumbers = R"({
  "nodes": [
    {"name": "osc", "type": "sine", "parameters": {"frequency_hz": 1000, "gain_db": -6}},
    {"name": "late", "type": "delay_line", "settings": {"max_time_ms": 250},
     "parameters": {"time_ms": 2, "mix": 1, "bypass": 0}},
    {"name": "lp", "type": "biquad_filter", "parameters": {"frequency_hz": 23520}},
    {"name": "vol", "type": "gain", "parameters": {"invert": 1, "mute": 0}},
    {"name": "out", "type": "output"}
  ],
  "connections": [
    {"from": "osc", "to": "late"}, {"from": "late", "to": "lp"},
    {"from": "lp", "to": "vol", "gain_db": -3}, {"from": "vol", "to": "out"}
  ]
})";

constexpr const char* kClamped =
    "line 10, column 95: node \"lp\": frequency_hz = 40000 Hz is above the maximum, 23520 Hz at a sample rate of 48000 "
    "Hz; loaded as 23520 Hz";
constexpr const char* kComments = "line 1, column 1: the document has 2 comments";

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class Documents : public testing::Test {
 protected:
    Documents() {
        write_text(written_, kWritten);
        write_text(numbers_, kNumbers);
    }

    TemporaryDirectory directory_;
    std::string written_ = (directory_ / "written.json").string();
    std::string numbers_ = (directory_ / "numbers.json").string();
};

TEST_F(Documents, RtadChecksAndRendersThemWithWarnings) {
    const RunResult checked = run_rtad({"check", written_});
    EXPECT_EQ(checked.status, kDone) << checked.error;
    EXPECT_EQ(checked.output, written_ + ": valid, 5 nodes, 4 connections\n");
    EXPECT_EQ(checked.error, "rtad: warning: " + written_ + ": " + kClamped + "\n");
    for (const std::string& file : {written_, numbers_}) {
        const RunResult rendered =
            run_rtad({"render", "--graph", file, "--duration", "0.1", "--output", file + ".wav"});
        EXPECT_EQ(rendered.status, kDone) << rendered.error;
        EXPECT_EQ(has(rendered.error, kClamped), file == written_) << rendered.error;
        EXPECT_FALSE(has(rendered.error, "comment")) << "nothing is saved";
    }
    EXPECT_EQ(read_wav(written_ + ".wav").channels, read_wav(numbers_ + ".wav").channels);
}

TEST_F(Documents, ARenderingReportsEachChangedValueOnce) {
    const std::string warning = "warning: " + written_ + ": " + kClamped;
    for (const bool json : {false, true}) {
        std::vector<std::string> arguments{"render", "--graph",  written_,         "--duration",
                                           "0.1",    "--output", written_ + ".wav"};
        if (json) arguments.emplace_back("--json");
        const RunResult rendered = run_rtad(arguments);
        EXPECT_EQ(rendered.status, kDone) << rendered.error;
        EXPECT_EQ(rendered.error, "rtad: " + warning + "\n");
        if (!json) {
            EXPECT_FALSE(has(rendered.output, "warning")) << rendered.output;
            continue;
        }
        const auto report = parse_json<google::protobuf::Struct>(rendered.output);
        const auto& notices = report.fields().at("notices").list_value();
        ASSERT_EQ(notices.values_size(), 1) << rendered.output;
        EXPECT_EQ(notices.values(0).string_value(), warning);
    }
}

TEST_F(Documents, AUnitThatDoesNotFitIsRefusedAtItsLineAndColumn) {
    write_text(written_,
               "{\"nodes\": [\n {\"name\": \"g\", \"type\": \"gain\",\n  \"parameters\": {\"gain_db\": \"250 ms\"}}]}");
    const std::string sentence =
        "line 3, column 29: parameter \"gain_db\" of node \"g\": \"250 ms\" is a time; write a level (dB)\n";
    const RunResult checked = run_rtad({"check", written_});
    EXPECT_EQ(checked.status, (ExitStatus{2, 0}));
    EXPECT_EQ(checked.error, "rtad: " + written_ + ": " + sentence);
    const Daemon daemon{{.arguments = {"--device", "null"}}};
    for (const char* command : {"load", "check", "diff"}) {
        const RunResult refused = daemon.ctl({"graph", command, written_});
        EXPECT_EQ(refused.status, (ExitStatus{1, 0}));
        EXPECT_EQ(refused.error, "rtactl: " + written_ + ": " + sentence) << command;
    }
}

TEST_F(Documents, RtactlLoadsThemAndPrintsWarnings) {
    const Daemon daemon{{.arguments = {"--device", "null"}}};
    for (const char* command : {"check", "load"}) {
        const RunResult result = daemon.ctl({"graph", command, written_});
        EXPECT_EQ(result.status, kDone) << result.error;
        EXPECT_TRUE(result.error.starts_with("rtactl: warning: " + written_ + ": " + kClamped +
                                             "\nrtactl: warning: " + written_ + ": " + kComments))
            << result.error;
    }
    const std::string shown = daemon.ctl({"graph", "show"}).output;
    EXPECT_TRUE(has(shown, "\"title\": \"Foyer\",\n  \"description\": \"One tone.\"")) << shown;
    EXPECT_TRUE(has(shown, R"("type": "biquad_filter", "title": "Treble")")) << shown;
    EXPECT_TRUE(has(shown, R"("max_time_ms": 250)")) << shown;
    EXPECT_FALSE(has(shown, "//")) << shown;

    const RunResult saved = daemon.ctl({"graph", "save", written_});
    EXPECT_TRUE(saved.error.starts_with("rtactl: warning: " + written_ + ": " + kComments)) << saved.error;
    EXPECT_EQ(daemon.ctl({"graph", "save", written_}).error, "");

    write_text(written_, kWritten);
    const RunResult json = daemon.ctl({"--json", "graph", "load", written_});
    EXPECT_EQ(json.error, "");
    const auto response = parse_json<v1::Response>(json.output);
    ASSERT_EQ(response.apply_transaction().warnings_size(), 2);
    EXPECT_EQ(response.apply_transaction().warnings(0), kClamped);
}

TEST_F(Documents, TheDiffComparesValuesNotTheirForm) {
    const Daemon daemon{{.arguments = {"--device", "null"}}};
    ASSERT_EQ(daemon.ctl({"graph", "load", written_}).status, kDone);
    EXPECT_EQ(daemon.ctl({"graph", "diff", written_}).output, "# " + written_ + ": no difference\n");
    const RunResult numbers = daemon.ctl({"graph", "diff", numbers_});
    EXPECT_EQ(numbers.output,
              "begin\n# title of the graph: \"\"; description of the graph: \"\"\n# title of lp: \"\"\ncommit\n");
    EXPECT_EQ(numbers.error, "");
    const std::string saved = (directory_ / "saved.json").string();
    ASSERT_EQ(daemon.ctl({"graph", "save", saved}).status, kDone);
    ASSERT_EQ(daemon.ctl({"graph", "load", numbers_}).status, kDone);
    EXPECT_FALSE(has(daemon.ctl({"graph", "show"}).output, "Foyer"));
    const RunResult loaded = daemon.ctl({"graph", "load", "--force", saved});
    EXPECT_EQ(loaded.error, "") << "what is saved has no comments, and values in their ranges";
    EXPECT_TRUE(has(daemon.ctl({"graph", "show"}).output, "Foyer"));
}

// The rate of a running rtad does not change. A restart at a lower rate loads the saved graph like any document.
TEST_F(Documents, ARestartAtALowerRateLimitsTheCornersAndSaysSo) {
    const std::string state = (directory_ / "state").string();
    const auto options = [&](const std::string& rate) {
        return Daemon::Options{
            .arguments = {"--device", "null", "--state-dir", state, "--sample-rate", rate, "--graph", written_}};
    };
    {
        Daemon daemon{options("96000")};
        EXPECT_TRUE(has(daemon.process().error(), kComments)) << daemon.process().error();
        EXPECT_FALSE(has(daemon.process().error(), "above the maximum")) << daemon.process().error();
        EXPECT_TRUE(has(daemon.ctl({"types", "biquad_filter"}).output, "5 to 47040 Hz, 0.49 of the sample rate"));
        EXPECT_EQ(daemon.ctl({"set", "lp.frequency_hz=47040"}).status, kDone);
        EXPECT_TRUE(has(daemon.ctl({"set", "lp.frequency_hz=47041"}).error, "is out of range: 5 to 47040 Hz"));
        EXPECT_EQ(daemon.stop(), kDone);
    }
    {
        Daemon daemon{options("44100")};
        const std::string log = daemon.process().error();
        EXPECT_TRUE(has(log,
                        "node \"lp\": frequency_hz = 47040 Hz is above the maximum, 21609 Hz at a sample rate of "
                        "44100 Hz; loaded as 21609 Hz"))
            << log;
        EXPECT_FALSE(has(log, "comment")) << log;
        EXPECT_TRUE(has(daemon.ctl({"graph", "show"}).output, "\"title\": \"Foyer\""));
        EXPECT_EQ(daemon.ctl({"get", "lp.frequency_hz"}).output, "lp.frequency_hz = 21609 Hz\n");
        EXPECT_EQ(daemon.stop(), kDone);
    }
}

TEST(RtadArguments, UnknownOptionsAndCommandsHaveASuggestion) {
    const auto error = [](const std::vector<std::string>& arguments) {
        const RunResult result = run_rtad(arguments);
        EXPECT_EQ(result.status, (ExitStatus{2, 0}));
        return result.error.substr(0, result.error.find('\n'));
    };
    EXPECT_EQ(error({"--port", "7900"}), R"(rtad: unknown option "--port")");
    EXPECT_EQ(error({"--sample-rat", "44100"}),
              R"(rtad: unknown option "--sample-rat"; did you mean "--sample-rate"?)");
    EXPECT_EQ(
        error({"rendr"}),
        R"(rtad: unknown command "rendr" (did you mean "render"?); expected one of: devices, check, render, token)");
    EXPECT_EQ(error({"render", "--grph", "x.json", "--duration", "1", "--output", "x.wav"}),
              R"(rtad: unknown option "--grph" of rtad render; did you mean "--graph"?)");
}

}  // namespace
}  // namespace rta::test
