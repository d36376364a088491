// SPDX-License-Identifier: MIT
// `rtad render` as a user runs it: lengths, formats, levels and messages.
#include <google/protobuf/struct.pb.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <optional>
#include <string>
#include <vector>

#include "recorded_daemon.h"
#include "support/analysis.h"
#include "support/json.h"

namespace rta::test {
namespace {

constexpr const char* kLimited = R"({
  "nodes": [ {"name": "in", "type": "input", "settings": {"channels": 2}},
             {"name": "lim", "type": "limiter", "settings": {"channels": 2}},
             {"name": "level", "type": "meter", "settings": {"channels": 2}},
             {"name": "out", "type": "output", "settings": {"channels": 2}} ],
  "connections": [ {"from": "in", "to": "lim"}, {"from": "lim", "to": "level"}, {"from": "level", "to": "out"} ]
})";
constexpr const char* kThroughMono = R"({
  "nodes": [ {"name": "in", "type": "input"}, {"name": "out", "type": "output"} ],
  "connections": [ {"from": "in", "to": "out"} ]
})";
constexpr const char* kTick = R"({
  "nodes": [ {"name": "tick", "type": "impulse"}, {"name": "level", "type": "meter"}, {"name": "quiet", "type": "gain",
              "parameters": {"gain_db": -20}}, {"name": "out", "type": "output"},
             {"name": "low", "type": "output", "settings": {"first_channel": 2}} ],
  "connections": [ {"from": "tick", "to": "level"}, {"from": "level", "to": "out"}, {"from": "tick", "to": "quiet"},
                   {"from": "quiet", "to": "low"} ]
})";

class RenderCommand : public testing::Test {
 protected:
    /// Renders a graph to a file of this name.
    RunResult render(const char* document, const char* output, std::vector<std::string> arguments) {
        write_text(directory / "graph.json", document);
        arguments.insert(arguments.begin(), {"render", "--graph", path("graph.json"), "--output", path(output)});
        return run_rtad(std::move(arguments));
    }
    [[nodiscard]] std::string path(const char* name) const { return (directory / name).string(); }

    /// Expects a refusal with this status and this part of a sentence, and that no file was written.
    void expect_refused(const RunResult& result, const char* output, int status, const std::string& part) const {
        EXPECT_EQ(result.status, (ExitStatus{.code = status})) << part;
        EXPECT_NE(result.error.find(part), std::string::npos) << result.error;
        EXPECT_EQ(result.error.find(".partial-"), std::string::npos) << result.error;
        EXPECT_EQ(result.output, "");
        EXPECT_FALSE(std::filesystem::exists(path(output)));
    }

    TemporaryDirectory directory;
};

const ExitStatus kDone{.code = 0};

TEST_F(RenderCommand, TheInputAndItsTailDetermineTheLength) {
    std::vector<float> samples(10'000, 0.0F);
    samples.back() = 0.5F;
    write_wav(directory / "in.wav", {48'000, {samples, samples}, true});
    const RunResult rendered = render(kLimited, "out.wav", {"--input", path("in.wav")});
    ASSERT_EQ(rendered.status, kDone) << rendered.error;
    const Wav late = read_wav(directory / "out.wav");
    EXPECT_NEAR(peak(late.channels[0]), 0.5, 1e-6) << "the end of the input is not lost in the look-ahead";
    ASSERT_GT(late.frames(), samples.size() + 100);
    EXPECT_NEAR(late.channels[0].back(), 0.5F, 1e-6F);
    EXPECT_NE(rendered.output.find("2 channels, 48000 Hz, 32-bit float WAV"), std::string::npos) << rendered.output;

    const RunResult aligned = render(kLimited, "aligned.wav", {"--input", path("in.wav"), "--align"});
    ASSERT_EQ(aligned.status, kDone) << aligned.error;
    const Wav early = read_wav(directory / "aligned.wav");
    ASSERT_EQ(early.frames(), samples.size());
    const std::size_t latency = late.frames() - early.frames();
    EXPECT_TRUE(std::ranges::equal(early.channels[0], std::span{late.channels[0]}.subspan(latency)));

    const RunResult longer = render(kLimited, "longer.wav", {"--input", path("in.wav"), "--align", "--tail", "250ms"});
    ASSERT_EQ(longer.status, kDone) << longer.error;
    EXPECT_EQ(read_wav(directory / "longer.wav").frames(), samples.size() + 12'000);
}

TEST_F(RenderCommand, ATailThatDoesNotEndIsReported) {
    write_wav(directory / "in.wav", {48'000, {std::vector<float>(100, 0.5F)}, true});
    constexpr const char* kDrone = R"({
      "nodes": [ {"name": "in", "type": "input"}, {"name": "osc", "type": "sine"}, {"name": "out", "type": "output"} ],
      "connections": [ {"from": "in", "to": "out"}, {"from": "osc", "to": "out"} ] })";
    const RunResult rendered = render(kDrone, "out.wav", {"--input", path("in.wav")});
    ASSERT_EQ(rendered.status, kDone) << rendered.error;
    EXPECT_NE(rendered.error.find("did not fall below -90 dBFS within 10 s"), std::string::npos) << rendered.error;
    EXPECT_EQ(read_wav(directory / "out.wav").frames(), 480'100U);
}

TEST_F(RenderCommand, SourcesNeedADuration) {
    expect_refused(render(kTick, "out.wav", {}), "out.wav", 2, "requires --duration or --input");
    EXPECT_EQ(render(kTick, "out.wav", {"--duration", "250 ms"}).status, kDone);
    EXPECT_EQ(read_wav(directory / "out.wav").frames(), 12'000U);
}

TEST_F(RenderCommand, FormatsThatAreNotWrittenAreRefused) {
    expect_refused(render(kTick, "out.mp3", {"--duration", "1"}), "out.mp3", 2,
                   "expected a name that ends in .wav (32-bit float) or .flac (24 bits)");
    constexpr const char* kWide = R"({
      "nodes": [ {"name": "one", "type": "impulse"}, {"name": "out", "type": "output", "settings": {"first_channel": 9}} ],
      "connections": [ {"from": "one", "to": "out"} ] })";
    expect_refused(render(kWide, "out.flac", {"--duration", "1"}), "out.flac", 2,
                   path("out.flac") + ": 9 channels, expected at most 8");
}

TEST_F(RenderCommand, FlacHasTwentyFourBitsAndReportsClipping) {
    std::vector<float> samples;
    for (int n = 0; n < 20'000; ++n)
        samples.push_back(static_cast<float>((n * 7'919) % 16'777'215 - 8'388'607) * 0x1p-23F);
    write_wav(directory / "in.wav", {48'000, {samples}, true});
    RunResult rendered = render(kThroughMono, "out.flac", {"--input", path("in.wav")});
    ASSERT_EQ(rendered.status, kDone) << rendered.error;
    EXPECT_EQ(rendered.error, "");
    EXPECT_NE(rendered.output.find("24-bit FLAC"), std::string::npos) << rendered.output;
    EXPECT_EQ(first_difference(read_wav(directory / "out.flac").channels[0], samples), std::nullopt) << "no dither";

    samples[100] = 1.5F;
    samples[200] = -1.25F;
    write_wav(directory / "in.wav", {48'000, {samples}, true});
    rendered = render(kThroughMono, "out.flac", {"--input", path("in.wav")});
    ASSERT_EQ(rendered.status, kDone) << rendered.error;
    EXPECT_NE(rendered.error.find("2 samples outside the 24-bit range (-1 to 1 - 2^-23) clipped in"), std::string::npos)
        << rendered.error;
}

TEST_F(RenderCommand, ReportsLevelsFromTheFirstFrameOn) {
    const RunResult rendered = render(kTick, "out.wav", {"--duration", "1"});
    ASSERT_EQ(rendered.status, kDone) << rendered.error;
    EXPECT_EQ(rendered.output, path("out.wav") + ": 1 s, 2 channels, 48000 Hz, 32-bit float WAV\n" +
                                   "low (output): peak -20.0 dBFS, true peak -20.0 dBTP, loudness -59.7 LUFS\n"
                                   "out (output): peak 0.0 dBFS, true peak 0.0 dBTP, loudness -39.7 LUFS\n"
                                   "level (meter): peak 0.0 dBFS, true peak 0.0 dBTP, loudness -39.7 LUFS\n");
    const RunResult json = render(kTick, "out.wav", {"--duration", "1", "--json"});
    ASSERT_EQ(json.status, kDone) << json.error;
    EXPECT_EQ(std::ranges::count(json.output, '\n'), 1);
    for (const char* part : {R"("frames":48000)", R"("latency_frames":0,"aligned":false,"clipped_samples":0)",
                             R"({"node":"out","first_channel":1,"channels":[{"peak_db":0,)",
                             R"("meters":[{"node":"level","channels":[{"peak_db":0,)", R"("notices":[])"}) {
        EXPECT_NE(json.output.find(part), std::string::npos) << part << " in " << json.output;
    }
}

/// The meters have their own path from the audio thread, whose buffers are short at low rates.
TEST_F(RenderCommand, AMeterBeforeTheOutputReadsTheSame) {
    constexpr const char* kNoise = R"({
      "nodes": [ {"name": "hiss", "type": "noise", "settings": {"color": "pink"}}, {"name": "level", "type": "meter"},
                 {"name": "out", "type": "output"} ],
      "connections": [ {"from": "hiss", "to": "level"}, {"from": "level", "to": "out"} ] })";
    for (const char* rate : {"8000", "44100", "192000"}) {
        // 10.24 s: whole steps of the meter at these rates.
        const RunResult rendered = render(kNoise, "out.wav", {"--duration", "10.24s", "--sample-rate", rate});
        ASSERT_EQ(rendered.status, kDone) << rendered.error;
        const auto levels_of = [&](const std::string& node) {
            const std::size_t begin = rendered.output.find(node) + node.size();
            return rendered.output.substr(begin, rendered.output.find('\n', begin) - begin);
        };
        EXPECT_NE(levels_of("(output): ").find("LUFS"), std::string::npos) << rendered.output;
        EXPECT_EQ(levels_of("(output): "), levels_of("(meter): ")) << rate;
    }
}

struct Levels {
    double peak_db;
    double rms_db;
    double integrated_lufs;
};

/// Returns the levels of channel 1 of the first node of "outputs" or "meters" in a report.
Levels levels_of(const std::string& json, const char* nodes) {
    const auto report = parse_json<google::protobuf::Struct>(json);
    const auto listed = report.fields().find(nodes);
    if (listed == report.fields().end() || listed->second.list_value().values().empty()) {
        ADD_FAILURE() << json;
        return {};
    }
    const auto& node = listed->second.list_value().values(0).struct_value().fields();
    const auto& channel = node.at("channels").list_value().values(0).struct_value().fields();
    const auto& loudness = node.at("loudness").struct_value().fields();
    const auto integrated = loudness.find("integrated_lufs");
    return {channel.at("peak_db").number_value(), channel.at("rms_db").number_value(),
            integrated != loudness.end() ? integrated->second.number_value() : 0.0};
}

/// What is rendered after the end of the file does not count.
TEST_F(RenderCommand, AMeterBeforeTheOutputReadsTheSameForAShortInput) {
    constexpr const char* kMetered = R"({
      "nodes": [ {"name": "in", "type": "input"}, {"name": "level", "type": "meter"}, {"name": "out", "type": "output"} ],
      "connections": [ {"from": "in", "to": "level"}, {"from": "level", "to": "out"} ] })";
    for (const std::size_t frames : {4'800U, 8'192U, 48'000U, 65'536U}) {
        std::vector<float> samples;
        for (std::size_t n = 0; n < frames; ++n) {
            const double angle = 2.0 * std::numbers::pi * 997.0 * static_cast<double>(n) / 48'000.0;
            samples.push_back(static_cast<float>(0.5 * std::sin(angle)));
        }
        samples.back() = 0.9F;
        write_wav(directory / "in.wav", {48'000, {samples}, true});
        for (const std::vector<std::string>& options : {std::vector<std::string>{}, {"--tail", "0"}, {"--align"}}) {
            std::vector<std::string> arguments{"--input", path("in.wav"), "--json"};
            arguments.insert(arguments.end(), options.begin(), options.end());
            const RunResult rendered = render(kMetered, "out.wav", arguments);
            ASSERT_EQ(rendered.status, kDone) << rendered.error;
            const Levels output = levels_of(rendered.output, "outputs");
            const Levels meter = levels_of(rendered.output, "meters");
            EXPECT_NEAR(meter.peak_db, output.peak_db, 1e-4) << rendered.output;
            EXPECT_NEAR(meter.rms_db, output.rms_db, 0.1) << rendered.output;
            EXPECT_NEAR(meter.integrated_lufs, output.integrated_lufs, 0.1) << rendered.output;
        }
    }
}

TEST_F(RenderCommand, AnEchoAfterTheInputIsMetered) {
    constexpr const char* kEcho = R"({
      "nodes": [ {"name": "in", "type": "input"},
                 {"name": "echo", "type": "delay_line", "settings": {"max_time_ms": 2000},
                  "parameters": {"time_ms": 1500, "feedback": 0, "mix": 1}},
                 {"name": "level", "type": "meter"}, {"name": "out", "type": "output"} ],
      "connections": [ {"from": "in", "to": "echo"}, {"from": "echo", "to": "level"}, {"from": "level", "to": "out"} ] })";
    write_wav(directory / "in.wav", {48'000, {std::vector<float>(4'800, 0.5F)}, true});
    const RunResult rendered = render(kEcho, "out.wav", {"--input", path("in.wav"), "--json"});
    ASSERT_EQ(rendered.status, kDone) << rendered.error;
    ASSERT_GT(read_wav(directory / "out.wav").frames(), 76'000U);
    const Levels output = levels_of(rendered.output, "outputs");
    const Levels meter = levels_of(rendered.output, "meters");
    EXPECT_NEAR(meter.peak_db, output.peak_db, 1e-4) << rendered.output;
    EXPECT_NEAR(meter.rms_db, output.rms_db, 0.1) << rendered.output;
}

TEST_F(RenderCommand, NodesThatReportAGainReductionAreNotMeters) {
    const std::string nodes = R"({"name": "hiss", "type": "noise"}, {"name": "comp", "type": "compressor"},
        {"name": "lim", "type": "limiter"}, {"name": "gate", "type": "gate"}, {"name": "out", "type": "output"})";
    const std::string connections = R"({"from": "hiss", "to": "comp"}, {"from": "comp", "to": "lim"},
        {"from": "lim", "to": "gate"}, {"from": "gate", "to": "out"})";
    const std::string without = R"({"nodes": [)" + nodes + R"(], "connections": [)" + connections + "]}";
    const std::string with = R"({"nodes": [)" + nodes + R"(, {"name": "level", "type": "meter"}], "connections": [)" +
                             connections + R"(, {"from": "hiss", "to": "level"}]})";

    RunResult rendered = render(without.c_str(), "out.wav", {"--duration", "1"});
    ASSERT_EQ(rendered.status, kDone) << rendered.error;
    EXPECT_EQ(std::ranges::count(rendered.output, '\n'), 2) << rendered.output;
    EXPECT_EQ(rendered.output.find("(meter)"), std::string::npos) << rendered.output;
    rendered = render(without.c_str(), "out.wav", {"--duration", "1", "--json"});
    EXPECT_NE(rendered.output.find(R"("meters":[])"), std::string::npos) << rendered.output;

    rendered = render(with.c_str(), "out.wav", {"--duration", "1"});
    ASSERT_EQ(rendered.status, kDone) << rendered.error;
    EXPECT_EQ(std::ranges::count(rendered.output, '\n'), 3) << rendered.output;
    EXPECT_NE(rendered.output.find("level (meter): peak "), std::string::npos) << rendered.output;
    rendered = render(with.c_str(), "out.wav", {"--duration", "1", "--json"});
    const std::size_t meters = rendered.output.find(R"("meters":[{"node":"level")");
    ASSERT_NE(meters, std::string::npos) << rendered.output;
    EXPECT_EQ(rendered.output.find(R"("node":)", meters + 20), std::string::npos) << rendered.output;
}

TEST_F(RenderCommand, AMonoFileFeedsAWiderInputAndSaysSo) {
    write_wav(directory / "in.wav", {48'000, {speech()}, false});
    const RunResult rendered = render(kLimited, "out.wav", {"--input", path("in.wav"), "--align", "--json"});
    ASSERT_EQ(rendered.status, kDone) << rendered.error;
    const std::string notice = "is mono and feeds all 2 input channels";
    EXPECT_NE(rendered.error.find(notice), std::string::npos) << rendered.error;
    EXPECT_NE(rendered.output.find(notice), std::string::npos) << rendered.output;
    const Wav wav = read_wav(directory / "out.wav");
    EXPECT_GT(rms(wav.channels[0]), 0.01);
    EXPECT_EQ(first_difference(wav.channels[0], wav.channels[1]), std::nullopt);
}

TEST_F(RenderCommand, ADamagedHeaderIsReportedAndAnEmptyFileRefused) {
    write_wav(directory / "in.wav", {48'000, {std::vector<float>(1'000, 0.25F)}, false});
    std::fstream file{path("in.wav"), std::ios::binary | std::ios::in | std::ios::out};
    file.seekp(40);  // the size of the samples of a plain WAV file
    file.write("\0\0\0\0", 4);
    file.close();
    RunResult rendered = render(kThroughMono, "out.wav", {"--input", path("in.wav")});
    ASSERT_EQ(rendered.status, kDone) << rendered.error;
    EXPECT_EQ(rendered.error, "rtad: warning: the header of " + path("in.wav") +
                                  " declares 0 bytes of samples, but 2000 follow: reading to the end of the file\n");
    const Wav wav = read_wav(directory / "out.wav");
    EXPECT_EQ(wav.frames(), 1'000U);
    EXPECT_EQ(wav.channels[0].back(), 0.25F);

    std::filesystem::resize_file(path("in.wav"), 44);
    std::filesystem::remove(path("out.wav"));
    expect_refused(render(kThroughMono, "out.wav", {"--input", path("in.wav")}), "out.wav", 2, "contains no samples");
}

TEST_F(RenderCommand, AnInputOfAnotherRateIsConverted) {
    std::vector<float> samples;
    for (int n = 0; n < 44'100; ++n) {
        samples.push_back(static_cast<float>(0.5 * std::sin(2.0 * std::numbers::pi * 997.0 * n / 44'100.0)));
    }
    write_wav(directory / "in.wav", {44'100, {samples}, true});
    const RunResult rendered = render(kThroughMono, "out.wav", {"--input", path("in.wav"), "--tail", "0"});
    ASSERT_EQ(rendered.status, kDone) << rendered.error;
    EXPECT_NE(rendered.error.find("is converted from 44100 Hz to 48000 Hz"), std::string::npos) << rendered.error;
    const Wav wav = read_wav(directory / "out.wav");
    EXPECT_NEAR(static_cast<double>(wav.frames()), 48'000.0, 1.0);
    for (std::size_t n = 10'000; n < 38'000; ++n) {
        const double expected = 0.5 * std::sin(2.0 * std::numbers::pi * 997.0 * static_cast<double>(n) / 48'000.0);
        ASSERT_NEAR(wav.channels[0][n], expected, 2e-6) << n;
    }
}

TEST_F(RenderCommand, TheBlockSizeChangesNothingThatIsHeard) {
    write_wav(directory / "in.wav", {48'000, {speech()}, false});
    ASSERT_EQ(render(kLimited, "reference.wav", {"--input", path("in.wav")}).status, kDone);
    const Wav reference = read_wav(directory / "reference.wav");
    for (const char* block : {"16", "1024"}) {
        ASSERT_EQ(render(kLimited, "out.wav", {"--input", path("in.wav"), "--block-size", block}).status, kDone);
        const Wav other = read_wav(directory / "out.wav");
        ASSERT_EQ(other.frames(), reference.frames()) << block;
        for (std::size_t n = 0; n < reference.frames(); ++n) {
            ASSERT_NEAR(other.channels[0][n], reference.channels[0][n], 1e-5) << block << ", frame " << n;
        }
    }
}

}  // namespace
}  // namespace rta::test
