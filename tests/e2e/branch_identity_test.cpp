// SPDX-License-Identifier: MIT
// Edits in one branch do not change a single bit of another branch: nothing there is reset, delayed or rebuilt.
#include <gtest/gtest.h>

#include <random>

#include "recorded_daemon.h"
#include "support/analysis.h"

namespace rta::test {
namespace {

constexpr std::size_t kSecond = 48'000;

/// Two independent branches: the left channel is not edited, the right one is.
constexpr const char* kDocument = R"({
  "nodes": [
    {"name": "left_sine", "type": "sine", "parameters": {"frequency_hz": 443.21, "gain_db": -7}},
    {"name": "left_offset", "type": "constant", "parameters": {"value": 0.0625}},
    {"name": "left_gain", "type": "gain", "parameters": {"gain_db": -2.2}},
    {"name": "left_out", "type": "output"},
    {"name": "right_sine", "type": "sine", "parameters": {"frequency_hz": 1000}},
    {"name": "right_gain", "type": "gain"},
    {"name": "right_out", "type": "output", "settings": {"first_channel": 2}}
  ],
  "connections": [
    {"from": "left_sine", "to": "left_gain"}, {"from": "left_offset", "to": "left_gain", "gain_db": -1},
    {"from": "left_gain", "to": "left_out"},
    {"from": "right_sine", "to": "right_gain"}, {"from": "right_gain", "to": "right_out"}
  ]
})";

v1::Edit wider(const std::string& node, int channels) {
    v1::Edit edit;
    edit.mutable_change_settings()->set_node(node);
    (*edit.mutable_change_settings()->mutable_settings()->mutable_fields())["channels"].set_number_value(channels);
    return edit;
}

/// Makes every kind of edit in the right branch.
void edit_right_branch(ProtocolClient& client, std::mt19937& random, int round) {
    const std::string name = "right_extra_" + std::to_string(round);
    const auto value = [&](float low, float high) { return std::uniform_real_distribution<float>{low, high}(random); };
    client.apply(transaction({add_node("gain", name, {{"invert", 1.0F}}), disconnect("right_sine", "right_gain"),
                              connect("right_sine", name), connect(name, "right_gain")}));
    client.set_parameter("right_sine", "frequency_hz", value(100.0F, 5'000.0F));
    client.apply(transaction({set_parameter("right_gain", "gain_db", value(-30.0F, 0.0F)),
                              connect(name, "right_gain", value(-20.0F, 0.0F))}));
    // Swap two nodes.
    client.apply(transaction({disconnect("right_sine", name), disconnect(name, "right_gain"),
                              disconnect("right_gain", "right_out"), connect("right_sine", "right_gain"),
                              connect("right_gain", name), connect(name, "right_out")}));
    client.apply(transaction({wider("right_sine", 1), remove_node(name), connect("right_gain", "right_out")}));
    // Replace the sink, and the source by another one of the same name.
    client.apply(transaction({remove_node("right_out"), add_node("output", "right_out", {}, {{"first_channel", 2.0F}}),
                              connect("right_gain", "right_out")}));
    client.apply(
        transaction({remove_node("right_sine"), add_node("sine", "right_sine"), connect("right_sine", "right_gain")}));
    // Replace the whole graph; the left branch stays the same.
    client.apply_document(kDocument);
}

TEST(BranchIdentity, EditsOfOneBranchLeaveTheOtherBitForBit) {
    RecordedDaemon untouched{{.graph = kDocument}};
    RecordedDaemon edited{{.graph = kDocument}};
    ProtocolClient client = edited.daemon().client();
    std::mt19937 random{4};
    constexpr int kRounds = 25;
    for (int round = 0; round < kRounds; ++round) edit_right_branch(client, random, round);
    const v1::StatusResult status = client.status();
    EXPECT_EQ(status.engine().revision(), 1U + kRounds * 7U) << "--graph is the first revision";
    const std::uint64_t last_edit = status.engine().frame();
    edited.wait_for_frame(last_edit + kSecond / 2);
    untouched.wait_for_frame(last_edit + kSecond / 2);
    const Wav reference = untouched.stop();
    const Wav after = edited.stop();

    const std::size_t compared = last_edit + kSecond / 4;
    ASSERT_GE(reference.frames(), compared);
    ASSERT_GE(after.frames(), compared);
    const auto part = [&](const Wav& wav, std::size_t channel) {
        return std::span<const float>{wav.channels[channel]}.first(compared);
    };
    EXPECT_GT(rms(part(reference, 0)), 0.1) << "the left branch is heard";
    EXPECT_EQ(first_difference(part(reference, 0), part(after, 0)), std::nullopt);
    EXPECT_NE(first_difference(part(reference, 1), part(after, 1)), std::nullopt) << "the right branch was edited";
}

}  // namespace
}  // namespace rta::test
