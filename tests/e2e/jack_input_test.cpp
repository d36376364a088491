// SPDX-License-Identifier: MIT
// Speech played into JACK passes through input -> gain -> output.
#include <gtest/gtest.h>

#include "jack_rig.h"
#include "support/analysis.h"
#include "support/wav.h"

namespace rta::test {
namespace {

constexpr std::size_t kSecond = 48'000;

TEST(JackInput, SpeechComesBackBitForBitAtZeroDb) {
    JackRig rig{{.capacity_frames = 20 * kSecond, .with_input = true}};
    JackClient& witness = rig.witness();
    ProtocolClient client = rig.daemon().client();
    // Two paths, so that swapped or mixed channels are detected: input 1 to output 1, input 2 to output 2.
    client.apply(
        transaction({add_node("input", "in", {}, {{"channels", 2}}), add_node("gain", "vol", {}, {{"channels", 2}}),
                     add_node("output", "out", {}, {{"channels", 2}}), connect("in", "vol"), connect("vol", "out")}));
    witness.wait_frames(kSecond / 2);  // the output has faded in

    const std::vector<float> first = speech();
    std::vector<float> second(first.rbegin(), first.rend());
    const std::size_t starts[] = {witness.play(0, first), witness.play(1, second)};
    witness.wait_for_frame(std::max(starts[0], starts[1]) + first.size() + kSecond / 2);
    const std::span<const float> played[] = {first, second};
    std::size_t delays[2] = {};
    for (std::uint32_t channel = 0; channel < 2; ++channel) {
        const std::span<const float> heard = witness.recording(channel).subspan(starts[channel]);
        delays[channel] = find_delay(played[channel], heard);
        EXPECT_EQ(first_difference(played[channel], heard.subspan(delays[channel], first.size())), std::nullopt)
            << "channel " << channel << ", delay " << delays[channel] << " frames";
        // Silence before and after the speech.
        EXPECT_EQ(peak(heard.first(delays[channel])), 0.0);
        EXPECT_EQ(peak(heard.subspan(delays[channel] + first.size())), 0.0);
    }
    EXPECT_EQ(delays[0], delays[1]);
    EXPECT_EQ(witness.lost_frames(), 0U);
}

TEST(JackInput, ASecondChannelAloneIsFoundByItsNumber) {
    JackRig rig{{.capacity_frames = 20 * kSecond, .with_input = true}};
    JackClient& witness = rig.witness();
    ProtocolClient client = rig.daemon().client();
    client.apply(
        transaction({add_node("input", "in", {}, {{"first_channel", 2}}), add_node("gain", "vol", {{"invert", 1}}),
                     add_node("output", "out"), connect("in", "vol"), connect("vol", "out")}));
    witness.wait_frames(kSecond / 2);
    std::vector<float> samples = speech();
    const std::size_t start = witness.play(1, samples);
    witness.wait_for_frame(start + samples.size() + kSecond / 2);
    for (float& sample : samples) sample = -sample;
    const std::span<const float> heard = witness.recording(0).subspan(start);
    const std::size_t delay = find_delay(samples, heard);
    // Compares values, not bits: the sign of a zero is lost when an output adds to the silence of the device.
    const std::span<const float> part = heard.subspan(delay, samples.size());
    for (std::size_t n = 0; n < samples.size(); ++n) ASSERT_EQ(part[n], samples[n]) << n;
    EXPECT_EQ(peak(witness.recording(1)), 0.0) << "an output of one channel plays on one channel";
}

}  // namespace
}  // namespace rta::test
