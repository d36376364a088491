// SPDX-License-Identifier: MIT
// A tone played by rtactl, recorded by an independent JACK client.
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <map>
#include <numbers>
#include <stdexcept>
#include <string>
#include <vector>

#include "jack_rig.h"
#include "support/analysis.h"
#include "support/deadline.h"
#include "support/temporary.h"

namespace rta::test {
namespace {

constexpr double kRate = 48'000.0;
constexpr std::size_t kSecond = 48'000;

/// Residual of an ideal float32 sine after a sine fit: rounding to 24 bits, at most half a unit in the last place, in
/// three places (the generator and two gains). Relative to a sine of any level, the residual is below 20 lg(3 * 2^-24 *
/// sqrt 2) = -132 dB. The generator guarantees less than -120 dB.
constexpr double kCleanDb = -120.0;

double omega(double frequency_hz) { return 2.0 * std::numbers::pi * frequency_hz / kRate; }

/// Records the next two seconds and fits a sine; checks that both channels are bit-identical.
SineFit measure(JackClient& witness) {
    const std::size_t begin = witness.frames();
    witness.wait_for_frame(begin + 2 * kSecond);
    const std::span<const float> left = witness.recording(0).subspan(begin, 2 * kSecond);
    const std::span<const float> right = witness.recording(1).subspan(begin, 2 * kSecond);
    EXPECT_EQ(first_difference(left, right), std::nullopt) << "a mono sine feeds both channels of the output";
    return fit_sine(left, kRate);
}

TEST(JackTone, HasTheFrequencyTheLevelAndThePurityAskedFor) {
    JackRig rig{{.capacity_frames = 20 * kSecond}};
    JackClient& witness = rig.witness();

    const RunResult played = rig.daemon().ctl({"play", "sine:frequency_hz=997,gain_db=-6", "gain:gain_db=-6"});
    ASSERT_EQ(played.status, (ExitStatus{0, 0})) << played.error;
    witness.wait_frames(kSecond / 2);  // the output has faded in
    const SineFit tone = measure(witness);
    EXPECT_NEAR(tone.frequency_hz, 997.0, 1e-5);
    EXPECT_NEAR(tone.level_db(), -12.0, 1e-4);
    EXPECT_NEAR(tone.offset, 0.0, 1e-7);
    EXPECT_LT(tone.thd_plus_noise_db(), kCleanDb);

    const RunResult set = rig.daemon().ctl({"set", "sine.frequency_hz=0.331kHz", "gain.gain_db=-20dB"});
    ASSERT_EQ(set.status, (ExitStatus{0, 0})) << set.error;
    witness.wait_frames(kSecond / 2);  // the parameters have reached their targets
    const SineFit changed = measure(witness);
    EXPECT_NEAR(changed.frequency_hz, 331.0, 1e-5);
    EXPECT_NEAR(changed.level_db(), -26.0, 1e-4);
    EXPECT_LT(changed.thd_plus_noise_db(), kCleanDb);

    // The whole recording: silence, the fade-in of the output over 960 frames, the tone, and two parameter ramps of 960
    // frames each. The bound is the sum of the curvature of the sine at its highest frequency, that of its modulation
    // by a ramp, and the corner at the start of a ramp.
    const double amplitude = gain_from_db(-12.0);
    const double w = omega(997.0);
    const double bound = amplitude * (w * w + 2.0 * w / 960.0 + 1.0 / 960.0);
    const Finding largest = largest_second_difference(witness.recording(0));
    EXPECT_LE(largest.size, bound) << "at frame " << largest.frame;
    EXPECT_EQ(witness.lost_frames(), 0U);
    EXPECT_FALSE(witness.full());

    EXPECT_EQ(rig.daemon().stop(), (ExitStatus{0, 0})) << rig.daemon().process().error();
    // The exit is also a fade, and ends in silence.
    witness.wait_frames(2'048);
    EXPECT_LE(largest_second_difference(witness.recording(0)).size, bound);
    const std::span<const float> end = witness.recording(0).last(256);
    EXPECT_EQ(peak(end), 0.0);
}

TEST(JackTone, AGraphThatIsThereFromTheStartFadesIn) {
    const TemporaryDirectory directory;
    const std::string graph_file = directory / "graph.json";
    write_text(graph_file, R"({"nodes": [
        {"name": "osc", "type": "sine", "parameters": {"frequency_hz": 997, "gain_db": 0}},
        {"name": "out", "type": "output", "settings": {"channels": 2}} ],
        "connections": [ {"from": "osc", "to": "out"} ]})");
    const JackServer server;
    JackClient witness{server, {.name = "witness", .inputs = 1, .outputs = 0, .capacity_frames = 20 * kSecond}};
    // rtad connects its ports before it plays.
    Daemon daemon{{.arguments = {"--device", "jack", "--jack-connect", "witness:in_.*", "--graph", graph_file},
                   .environment = server.environment()}};
    witness.wait_frames(kSecond);
    EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0})) << daemon.process().error();
    const std::span<const float> heard = witness.recording(0);
    const auto first = std::ranges::find_if(heard, [](float sample) { return sample != 0.0F; }) - heard.begin();
    const std::span<const float> sound = std::span{heard}.subspan(static_cast<std::size_t>(first));
    ASSERT_GT(sound.size(), kSecond / 4);
    EXPECT_LT(peak(sound.first(240)), 0.26) << "a quarter of the fade of 960 frames";
    EXPECT_NEAR(peak(sound.subspan(1'000, 480)), 1.0, 1e-3);
    const double w = omega(997.0);
    EXPECT_LE(largest_second_difference(heard).size, w * w + 2.0 * w / 960.0 + 1.0 / 960.0);
}

TEST(JackTone, ComesFromTheDeviceThatIsListed) {
    const JackServer server;
    // ALSA loads all plugins that the machine has, and some of them leak. PortAudio 19.6 aborts without a PCM that fails.
    const TemporaryDirectory folder;
    write_text(folder / "alsa.conf", "pcm.failing { type hw card 77 }\n");
    std::map<std::string, std::string> environment = server.environment();
    environment.emplace("ALSA_CONFIG_PATH", folder / "alsa.conf");
    const RunResult listed = run_rtad({"devices"}, environment);
    EXPECT_EQ(listed.status, (ExitStatus{0, 0})) << listed.error;
    EXPECT_NE(listed.output.find("--device jack\n"), std::string::npos) << listed.output;
    EXPECT_NE(listed.output.find("2 in"), std::string::npos) << listed.output;
}

TEST(JackTone, IsRefusedAtARateThatTheDeviceDoesNotTake) {
    const JackServer server;
    const RunResult refused = run_rtad({"--device", "jack", "--sample-rate", "44100"}, server.environment());
    EXPECT_EQ(refused.status, (ExitStatus{1, 0})) << refused.error;
    EXPECT_NE(refused.error.find("44100"), std::string::npos) << refused.error;
    EXPECT_NE(refused.error.find("48000"), std::string::npos) << "the rates it takes: " << refused.error;
}

TEST(JackTone, StatusTellsTheDevice) {
    JackRig rig{{}};
    ProtocolClient client = rig.daemon().client();
    rig.witness().wait_frames(1'024);
    const v1::StatusResult status = client.status();
    EXPECT_EQ(status.device().kind(), "jack");
    EXPECT_EQ(status.device().name(), "JACK/" + rig.server().name());
    EXPECT_TRUE(status.device().running());
    EXPECT_EQ(status.device().fallback_reason(), "");
    EXPECT_EQ(status.device().sample_rate_hz(), kRate);
    EXPECT_EQ(status.device().channels_out(), 2U);
    EXPECT_EQ(status.device().callback_frames(), 256U);
    EXPECT_EQ(status.device().adapter_frames(), 0U) << "256 is a multiple of the block of 64";
    EXPECT_EQ(status.engine().block_size_frames(), 64U);
    EXPECT_NE(status.realtime().scheduling(), "");
}

}  // namespace
}  // namespace rta::test
