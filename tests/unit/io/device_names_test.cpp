// SPDX-License-Identifier: MIT
#include "io/device_names.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "sounding_engine.h"

namespace rta::io {
namespace {

constexpr Direction kCapture = Direction::input;
constexpr Direction kPlay = Direction::output;

/// Card 1 only captures; the list has card 10 before card 0, and the PCMs of card 0 in descending order.
const std::vector<DeviceInfo> kListed{
    {.name = "ALSA/USB Audio CODEC: - (hw:10,0)", .channels_in = 2, .channels_out = 2},           // 0
    {.name = "ALSA/HDA Intel PCH: HDMI 0 (hw:0,3)", .channels_out = 8},                           // 1
    {.name = "ALSA/HDA Intel PCH: ALC257 Analog (hw:0,0)", .channels_in = 2, .channels_out = 2},  // 2
    {.name = "ALSA/HDA Intel PCH: DMIC (hw:0,6)", .channels_in = 4},                              // 3
    {.name = "ALSA/Microphone: USB Audio (hw:1,0)", .channels_in = 1},                            // 4
    {.name = "ALSA/sysdefault", .channels_out = 2},                                               // 5
    {.name = "ALSA/default", .channels_in = 32, .channels_out = 32},                              // 6
    {.name = "JACK Audio Connection Kit/system", .channels_in = 2, .channels_out = 2},            // 7
};
const CardIds kIds{{0, "PCH"}, {1, "USB"}, {10, "CODEC"}};

Expected<std::size_t> find(std::string_view wanted, Direction direction = kPlay, const CardIds& ids = kIds) {
    return find_device(kListed, wanted, direction, ids);
}

/// Returns the sentence with which the name is refused.
std::string refusal(std::string_view wanted, Direction direction, ErrorCode code, const CardIds& ids = kIds) {
    const auto found = find(wanted, direction, ids);
    if (found) return "accepted: " + kListed[*found].name;
    EXPECT_EQ(found.error().code, code) << found.error().sentence;
    return found.error().sentence;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(FindDevice, TakesAWholeName) {
    EXPECT_EQ(find("ALSA/HDA Intel PCH: ALC257 Analog (hw:0,0)"), 2U);
    EXPECT_EQ(find("HDA Intel PCH: ALC257 Analog (hw:0,0)"), 2U);
    EXPECT_EQ(find("ALSA/default"), 6U);
    EXPECT_EQ(find("default"), 6U) << "not ALSA/sysdefault, of which it is a part";
    EXPECT_EQ(find("system", kCapture), 7U);
}

TEST(FindDevice, TheWholeNameWithItsHostApiIsBetterThanWithout) {
    const std::vector<DeviceInfo> devices{{.name = "A/B/C", .channels_out = 1}, {.name = "B/C", .channels_out = 1}};
    EXPECT_EQ(find_device(devices, "B/C", kPlay), 1U);
    const std::vector<DeviceInfo> twice{{.name = "A/x", .channels_out = 1}, {.name = "B/x", .channels_out = 1}};
    const auto found = find_device(twice, "x", kPlay);
    ASSERT_FALSE(found);
    EXPECT_TRUE(has(found.error().sentence, "\"A/x\" and \"B/x\"")) << found.error().sentence;
}

TEST(FindDevice, TakesAPcmOfACard) {
    EXPECT_EQ(find("hw:0,0"), 2U);
    EXPECT_EQ(find("hw:0,3"), 1U);
    EXPECT_EQ(find("hw:0,6", kCapture), 3U);
    EXPECT_EQ(find("hw:10,0"), 0U);
    EXPECT_EQ(find("hw:PCH,3"), 1U);
    EXPECT_EQ(find("hw:CODEC"), 0U);
    EXPECT_EQ(find("hw:CARD=PCH,DEV=3"), 1U);
    EXPECT_EQ(find("hw:CARD=PCH"), 2U);
    EXPECT_EQ(find("hw:CARD=0,DEV=3"), 1U);
    EXPECT_EQ(find("ALSA/hw:PCH,3"), 1U);
}

TEST(FindDevice, ACardMeansItsFirstPcmInThatDirection) {
    EXPECT_EQ(find("hw:0"), 2U) << "not hw:10, nor hw:0,3";
    EXPECT_EQ(find("hw:0", kCapture), 2U);
    EXPECT_EQ(find("hw:1", kCapture), 4U) << "not hw:10,0";
    EXPECT_EQ(find("hw:10"), 0U);
    const std::vector<DeviceInfo> hdmi{{.name = "ALSA/HDMI: 1 (hw:2,7)", .channels_out = 2},
                                       {.name = "ALSA/HDMI: 0 (hw:2,3)", .channels_out = 2},
                                       {.name = "ALSA/HDMI: M (hw:2,0)", .channels_in = 2}};
    EXPECT_EQ(find_device(hdmi, "hw:2", kPlay), 1U);
}

TEST(FindDevice, TakesTheIdOfACard) {
    EXPECT_EQ(find("PCH"), 2U);
    EXPECT_EQ(find("USB", kCapture), 4U) << "the card with this id, not one with this part in its name";
    EXPECT_TRUE(has(refusal("USB", kPlay, ErrorCode::not_found), "card 1 (USB) has no output channels"))
        << "never another card that has the id as a part of its name";
    // Without ids, it is a part of a name.
    EXPECT_EQ(find("USB", kPlay, {}), 0U);
}

TEST(FindDevice, TakesAPartThatFitsOne) {
    EXPECT_EQ(find("ALC"), 2U);
    EXPECT_EQ(find("JACK", kCapture), 7U);
    EXPECT_EQ(find("alc257"), 2U) << "in any case";
    EXPECT_EQ(find("usb audio codec"), 0U);
    EXPECT_EQ(find("sysdef"), 5U);
    const std::vector<DeviceInfo> cases{{.name = "A/Usb one", .channels_out = 1},
                                        {.name = "A/USB two", .channels_out = 1}};
    EXPECT_EQ(find_device(cases, "USB", kPlay), 1U) << "the same case is better";
    EXPECT_FALSE(find_device(cases, "usb", kPlay));
}

TEST(FindDevice, ListsWhatFitsWhereSeveralDo) {
    const std::string several = refusal("HDA", kPlay, ErrorCode::invalid_argument);
    EXPECT_TRUE(has(several,
                    "\"HDA\" matches more than one output device: \"ALSA/HDA Intel PCH: HDMI 0 (hw:0,3)\" and "
                    "\"ALSA/HDA Intel PCH: ALC257 Analog (hw:0,0)\"; use a longer part"))
        << several;
}

TEST(FindDevice, ListsWhatThereIsWhereNoneFits) {
    const std::string none = refusal("Focusrite", kPlay, ErrorCode::not_found);
    EXPECT_TRUE(has(none, "no output device matches \"Focusrite\"; available: \"ALSA/USB Audio CODEC: - (hw:10,0)\""))
        << none;
    EXPECT_TRUE(has(none, "and \"JACK Audio Connection Kit/system\""));
    EXPECT_FALSE(has(none, "Microphone")) << "it cannot play";
    const auto nothing = find_device({}, "x", kCapture);
    ASSERT_FALSE(nothing);
    EXPECT_EQ(nothing.error().sentence, "no input device matches \"x\"; available: none");
}

TEST(FindDevice, SaysWhyACardDoesNotFit) {
    const auto why = [](std::string_view wanted, Direction direction, const CardIds& ids = kIds) {
        const std::string sentence = refusal(wanted, direction, ErrorCode::not_found, ids);
        const auto begin = sentence.find("\": ") + 3;
        return sentence.substr(begin, sentence.find("; available: ") - begin);
    };
    EXPECT_EQ(why("hw:1", kPlay), "card 1 (USB) has no output channels");
    EXPECT_EQ(why("hw:0,3", kCapture), "device 3 of card 0 (PCH) has no input channels");
    EXPECT_EQ(why("hw:0,9", kPlay), "device 9 of card 0 (PCH) does not exist, or another program is using it");
    EXPECT_EQ(why("hw:7", kPlay), "card 7 not found");
    EXPECT_EQ(why("hw:100", kPlay), "card 100 not found");
    EXPECT_EQ(why("hw:99999999999", kPlay), "card 99999999999 not found");
    EXPECT_EQ(why("hw:7", kPlay, {{7, "Busy"}}),
              "card 7 (Busy) cannot be opened: another program is using it, or permission is missing (group audio)");
    EXPECT_EQ(why("hw:Foo", kPlay), "no card has the id \"Foo\" (ids: \"PCH\", \"USB\" and \"CODEC\")");
    EXPECT_EQ(why("hw:pch", kPlay), "no card has the id \"pch\" (ids: \"PCH\", \"USB\" and \"CODEC\")");
    EXPECT_EQ(why("hw:PCH", kPlay, {}), "no card has the id \"PCH\" (ids: none)");
    EXPECT_EQ(why("Microphone: USB Audio (hw:1,0)", kPlay), "it has no output channels");
}

TEST(FindDevice, RefusesAnInvalidHwForm) {
    for (const std::string_view wanted : {"hw:", "hw:,", "hw:,0", "hw:0,", "hw:0,x", "hw:0,0,0", "hw:0,-1",
                                          "hw:CARD=", "hw:0,DEV=", "hw:0,99999999999", "ALSA/hw:"}) {
        const std::string sentence = refusal(wanted, kPlay, ErrorCode::invalid_argument);
        EXPECT_TRUE(has(sentence, "expected hw:CARD or hw:CARD,DEVICE")) << sentence;
    }
}

TEST(AlsaPcm, IsInTheNamesOfPortAudio) {
    EXPECT_EQ(alsa_pcm_of("ALSA/HDA: ALC (hw:0,0)"), (AlsaPcm{0, 0}));
    EXPECT_EQ(alsa_pcm_of("ALSA/A (hw:1,2): B (hw:31,14)"), (AlsaPcm{31, 14}));
    EXPECT_EQ(alsa_pcm_of("ALSA/HDA: ALC (plughw:2,1)"), (AlsaPcm{2, 1})) << "PA_ALSA_PLUGHW=1";
    for (const std::string_view other :
         {"", "ALSA/default", "ALSA/", "ALSA/)", "ALSA/(hw:)", "ALSA/x (hw:0)", "ALSA/x (hw:0,)", "ALSA/x (hw:,0)",
          "ALSA/x (hw:0,0", "ALSA/x (hw:0,0) y", "ALSA/x (hw:99999999999,0)", "JACK/x (hw:0,0)", "x (hw:0,0)"}) {
        EXPECT_EQ(alsa_pcm_of(other), std::nullopt) << other;
    }
}

TEST(CardIds, AreReadFromTheFolder) {
    const test::TemporaryFolder folder;
    const auto write = [&](const std::string& name, std::string_view text) {
        std::filesystem::create_directory(folder / name);
        std::ofstream{folder / (name + "/id")} << text;
    };
    write("card0", "PCH\n");
    write("card10", "Device_1");
    write("card2", "");     // being plugged in
    write("cardX", "X\n");  // not a card
    write("seq", "seq\n");
    std::filesystem::create_directory(folder / "card3");  // without an id
    std::ofstream{folder / "cards"} << " 0 [PCH            ]: HDA-Intel - HDA Intel PCH\n";
    EXPECT_EQ(read_card_ids(folder / ""), (CardIds{{0, "PCH"}, {10, "Device_1"}}));
    EXPECT_EQ(read_card_ids(folder / "missing"), CardIds{});
}

TEST(SelectingName, SelectsEveryDevice) {
    for (const CardIds& ids : {kIds, CardIds{}}) {
        for (std::size_t index = 0; index < kListed.size(); ++index) {
            const std::string name = selecting_name(kListed, index, ids);
            const Direction direction = kListed[index].channels_out > 0 ? kPlay : kCapture;
            EXPECT_EQ(find_device(kListed, name, direction, ids), index) << name;
        }
    }
    EXPECT_EQ(selecting_name(kListed, 1, kIds), "hw:PCH,3");
    EXPECT_EQ(selecting_name(kListed, 4, kIds), "hw:USB,0");
    EXPECT_EQ(selecting_name(kListed, 1, {}), "hw:0,3");
    EXPECT_EQ(selecting_name(kListed, 6, kIds), "ALSA/default");
    const std::vector<DeviceInfo> twins{{.name = "A/x", .channels_out = 1}, {.name = "A/x", .channels_out = 1}};
    EXPECT_EQ(selecting_name(twins, 0, kIds), "");
}

TEST(SameClock, IsThatOfOneCardOrOneDevice) {
    EXPECT_TRUE(check_same_clock("ALSA/A: x (hw:0,0)", "ALSA/A: x (hw:0,0)"));
    EXPECT_TRUE(check_same_clock("ALSA/A: x (hw:1,0)", "ALSA/A: y (hw:1,6)"));
    EXPECT_TRUE(check_same_clock("ALSA/default", "ALSA/default"));
    EXPECT_TRUE(check_same_clock("JACK/system", "JACK/system"));
    EXPECT_FALSE(check_same_clock("ALSA/A: x (hw:1,0)", "ALSA/B: y (hw:10,0)"));
    EXPECT_FALSE(check_same_clock("ALSA/default", "ALSA/pulse"));
    EXPECT_FALSE(check_same_clock("ALSA/A: x (hw:0,0)", "ALSA/default"));
    EXPECT_FALSE(check_same_clock("ALSA/dmix", "ALSA/A: x (hw:0,0)"));
}

TEST(SameClock, IsExplainedWhereItIsMissing) {
    const auto cards = check_same_clock("ALSA/HDA: ALC (hw:0,0)", "ALSA/Mic: USB (hw:1,0)");
    ASSERT_FALSE(cards);
    EXPECT_EQ(cards.error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(
        cards.error().sentence,
        "--input-device \"ALSA/Mic: USB (hw:1,0)\" conflicts with --device \"ALSA/HDA: ALC (hw:0,0)\": two cards have "
        "separate clocks, which drift apart; expected one device for both, or two devices of one card "
        "(hw:CARD,DEVICE)");
    const auto unknown = check_same_clock("ALSA/default", "ALSA/Mic: USB (hw:1,0)");
    ASSERT_FALSE(unknown);
    EXPECT_TRUE(has(unknown.error().sentence, "they may be on two cards, whose clocks drift apart"));
}

}  // namespace
}  // namespace rta::io
