// SPDX-License-Identifier: MIT
// The same document with every SIMD target of this machine: the same sound, and the same bits with the same target.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "dsp/simd.h"
#include "recorded_daemon.h"
#include "support/analysis.h"

namespace rta::test {
namespace {

/// Largest allowed difference between targets and block sizes, relative to full scale.
constexpr float kTolerance = 1e-5F;

constexpr const char* kDocument = R"({
  "nodes": [
    {"name": "low", "type": "sine", "parameters": {"frequency_hz": 110.5, "gain_db": -9}},
    {"name": "high", "type": "sine", "parameters": {"frequency_hz": 3331.25, "gain_db": -13.7}},
    {"name": "wide", "type": "sine", "settings": {"channels": 2}, "parameters": {"frequency_hz": 9000, "gain_db": -30}},
    {"name": "offset", "type": "constant", "parameters": {"value": 0.03125}},
    {"name": "tick", "type": "impulse", "parameters": {"gain_db": -6}},
    {"name": "vol", "type": "gain", "parameters": {"gain_db": -1.3, "invert": 1}},
    {"name": "both", "type": "output", "settings": {"channels": 2}}
  ],
  "connections": [
    {"from": "low", "to": "vol"}, {"from": "high", "to": "vol", "gain_db": -2.5}, {"from": "vol", "to": "both"},
    {"from": "tick", "to": "both"}, {"from": "offset", "to": "both"}, {"from": "wide", "to": "both", "gain_db": -1}
  ]
})";

Wav render_with(std::string_view target, const std::string& block_size = "64") {
    const TemporaryDirectory directory;
    write_text(directory / "graph.json", kDocument);
    const RunResult result = run_rtad({"render", "--graph", (directory / "graph.json").string(), "--duration", "2",
                                       "--block-size", block_size, "--output", (directory / "out.wav").string()},
                                      {{"RTAD_SIMD", std::string{target}}});
    EXPECT_EQ(result.status, (ExitStatus{0, 0})) << target << ": " << result.error;
    return read_wav(directory / "out.wav");
}

float largest_difference(const Wav& a, const Wav& b) {
    EXPECT_EQ(a.channels.size(), b.channels.size());
    EXPECT_EQ(a.frames(), b.frames());
    float largest = 0.0F;
    for (std::size_t channel = 0; channel < a.channels.size(); ++channel) {
        for (std::size_t frame = 0; frame < a.frames(); ++frame) {
            const float difference = std::fabs(a.channels[channel][frame] - b.channels[channel][frame]);
            if (!(difference <= largest)) largest = difference;  // also for NaN
        }
    }
    return largest;
}

TEST(Simd, EveryTargetAndBlockSizeRendersTheSameSound) {
    const Wav best = render_with(dsp::simd_targets().front());
    ASSERT_EQ(best.channels.size(), 2U);
    EXPECT_GT(rms(best.channels[0]), 0.1) << "silence would compare well";
    for (const std::string_view target : dsp::simd_targets()) {
        const Wav other = render_with(target);
        EXPECT_LE(largest_difference(other, best), kTolerance) << target;
        EXPECT_EQ(render_with(target).channels, other.channels) << target << ": one target, the same bits";
        for (const char* block_size : {"16", "1024"}) {
            EXPECT_LE(largest_difference(render_with(target, block_size), best), kTolerance)
                << target << ", blocks of " << block_size;
        }
    }
}

TEST(Simd, StatusTellsTheTarget) {
    for (const std::string_view target : dsp::simd_targets()) {
        const Daemon daemon{{.arguments = {"--device", "null"}, .environment = {{"RTAD_SIMD", std::string{target}}}}};
        ProtocolClient client = daemon.client();
        EXPECT_EQ(client.status().engine().simd_target(), target);
    }
}

TEST(Simd, ATargetThatThisMachineLacksIsRefusedWithTheNamesOfThoseItHas) {
    for (const char* wrong : {"mmx", "AVX2", "neon9"}) {
        for (const char* command : {"render", "check"}) {
            const TemporaryDirectory directory;
            write_text(directory / "graph.json", kDocument);
            std::vector<std::string> arguments{command};
            if (std::string_view{command} == "render") {
                arguments.insert(arguments.end(), {"--graph", (directory / "graph.json").string(), "--duration", "1",
                                                   "--output", (directory / "out.wav").string()});
            } else {
                arguments.push_back((directory / "graph.json").string());
            }
            const RunResult refused = run_rtad(std::move(arguments), {{"RTAD_SIMD", wrong}});
            EXPECT_EQ(refused.status, (ExitStatus{2, 0})) << command;
            EXPECT_NE(refused.error.find(wrong), std::string::npos) << refused.error;
            for (const std::string_view target : dsp::simd_targets())
                EXPECT_NE(refused.error.find(target), std::string::npos) << refused.error;
            EXPECT_FALSE(std::filesystem::exists(directory / "out.wav"));
        }
    }
}

}  // namespace
}  // namespace rta::test
