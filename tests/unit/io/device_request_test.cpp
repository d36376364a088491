// SPDX-License-Identifier: MIT
#include "io/device_request.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rta::io {
namespace {

using ::testing::Test;

const std::vector<DeviceInfo> kDevices{
    {.name = "ALSA/HDA Intel: ALC (hw:0,0)", .channels_in = 2, .channels_out = 8},
    {.name = "ALSA/default", .channels_in = 32, .channels_out = 32},
    {.name = "ALSA/sysdefault", .channels_in = 0, .channels_out = 2},
    {.name = "ALSA/Microphone", .channels_in = 1, .channels_out = 0},
    {.name = "JACK Audio Connection Kit/system", .channels_in = 2, .channels_out = 2},
};

TEST(DeviceChoice, ReadsEveryForm) {
    const DeviceKinds kinds = device_kinds();
    const DeviceKind* const null = find_kind(kinds, "null");
    const DeviceKind* const portaudio = find_kind(kinds, "portaudio");
    ASSERT_NE(null, nullptr);
    ASSERT_NE(portaudio, nullptr);
    EXPECT_EQ(parse_device("auto", kinds), DeviceChoice{});
    EXPECT_EQ(parse_device("null", kinds), (DeviceChoice{null, ""}));
    EXPECT_EQ(parse_device("null:a:b.wav", kinds), (DeviceChoice{null, "a:b.wav"}));
    EXPECT_EQ(parse_device("portaudio", kinds), (DeviceChoice{portaudio, ""}));
    EXPECT_EQ(parse_device("portaudio:ALSA/hw:0", kinds), (DeviceChoice{portaudio, "ALSA/hw:0"}));
    EXPECT_EQ(parse_input_device("portaudio:Mic", kinds), (DeviceChoice{portaudio, "Mic"}));
}

TEST(DeviceChoice, RefusesTheRestAndSaysWhatThereIs) {
    for (const char* const text : {"", "nul", "auto:x", "null:", "portaudio:", "jack:", "Null"}) {
        const auto choice = parse_device(text, device_kinds());
        ASSERT_FALSE(choice) << text;
        EXPECT_EQ(choice.error().code, ErrorCode::invalid_argument);
        EXPECT_NE(choice.error().sentence.find("portaudio:NAME"), std::string::npos);
        EXPECT_NE(choice.error().sentence.find('"' + std::string{text} + '"'), std::string::npos);
    }
}

TEST(DeviceChoice, FormsComeFromTheKinds) {
    static constexpr DeviceKind kFirst{.name = "first", .argument = "X", .argument_use = ArgumentUse::device_name};
    static constexpr DeviceKind kSecond{.name = "second", .separate_input = true};
    static constexpr const DeviceKind* kKinds[] = {&kFirst, &kSecond};
    EXPECT_EQ(device_forms(kKinds), "auto, first, first:X or second");
    EXPECT_EQ(input_device_forms(kKinds), "second");
    const auto choice = parse_device("second:x", kKinds);
    ASSERT_FALSE(choice) << "it takes no argument";
    EXPECT_EQ(choice.error().sentence, "invalid device \"second:x\": expected auto, first, first:X or second");
    EXPECT_FALSE(parse_input_device("first", kKinds));
    EXPECT_FALSE(parse_input_device("auto", kKinds));
}

TEST(DeviceKinds, AreSortedAndHaveOneFallback) {
    const DeviceKinds kinds = device_kinds();
    EXPECT_TRUE(std::ranges::is_sorted(kinds, {}, &DeviceKind::name));
    EXPECT_EQ(std::ranges::count(kinds, AutoRole::fallback, &DeviceKind::auto_role), 1);
    for (const DeviceKind* const kind : kinds) {
        EXPECT_EQ(kind->argument.empty(), kind->argument_use == ArgumentUse::none) << kind->name;
        EXPECT_NE(kind->make_driver, nullptr) << kind->name;
    }
}

TEST(ChooseChannels, TakesTheDevicesButAtMostTwo) {
    EXPECT_EQ(choose_channels({}, kDevices[0], Direction::output), 2U);
    EXPECT_EQ(choose_channels({}, kDevices[3], Direction::input), 1U);
    EXPECT_EQ(choose_channels({}, kDevices[3], Direction::output), 0U);
    EXPECT_EQ(choose_channels(8U, kDevices[0], Direction::output), 8U);
    EXPECT_EQ(choose_channels(0U, kDevices[0], Direction::output), 0U);
}

TEST(ChooseChannels, RefusesMoreThanThereAre) {
    const auto chosen = choose_channels(9U, kDevices[0], Direction::output);
    ASSERT_FALSE(chosen);
    EXPECT_EQ(chosen.error().sentence, "\"ALSA/HDA Intel: ALC (hw:0,0)\" has 8 output channels, not 9");
}

TEST(ListInWords, Lists) {
    EXPECT_EQ(list_in_words({}), "none");
    EXPECT_EQ(list_in_words(std::vector<std::string>{"44100"}), "44100");
    EXPECT_EQ(list_in_words(std::vector<std::string>{"44100", "48000"}), "44100 and 48000");
    EXPECT_EQ(list_in_words(std::vector<std::string>{"1", "2", "3"}), "1, 2 and 3");
}

}  // namespace
}  // namespace rta::io
