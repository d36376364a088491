// SPDX-License-Identifier: MIT
#include "app/device_page.h"

#include <gtest/gtest.h>

#include <vector>

#include "io/device_kind.h"
#include "io/device_request.h"

namespace rta::app {
namespace {

DeviceInfo device(std::string name, std::string flag, std::uint32_t channels_in, std::uint32_t channels_out,
                  double rate = 48'000) {
    return {.name = std::move(name),
            .flag = std::move(flag),
            .channels_in = channels_in,
            .channels_out = channels_out,
            .default_sample_rate_hz = rate};
}

std::vector<DeviceInfo> some_devices() {
    std::vector<DeviceInfo> devices{
        device("ALSA/HDA Intel PCH: ALC257 Analog (hw:0,0)", "portaudio:hw:PCH,0", 2, 2),
        device("ALSA/HDA Intel PCH: DMIC (hw:0,6)", "portaudio:hw:PCH,6", 4, 0),
        device("ALSA/Microphone: USB Audio (hw:1,0)", "portaudio:hw:USB,0", 1, 0, 44'100),
        device("ALSA/my dmix", "portaudio:ALSA/my dmix", 0, 2),
        device("ALSA/default", "portaudio:ALSA/default", 32, 32, 44'100),
        device("JACK/default", "jack", 2, 16, 96'000),
    };
    devices[2].default_input = true;
    devices[4].default_input = devices[4].default_output = true;
    return devices;
}

TEST(DevicePage, GroupsByCardAndShowsTheFlags) {
    EXPECT_EQ(device_page(some_devices(), {{0, "PCH"}, {1, "USB"}}),
              "HDA Intel PCH (card 0, PCH)\n"
              "  ALC257 Analog   2 in   2 out  48000 Hz  --device portaudio:hw:PCH,0\n"
              "  DMIC            4 in   0 out  48000 Hz  --input-device portaudio:hw:PCH,6             capture only\n"
              "Microphone (card 1, USB)\n"
              "  USB Audio       1 in   0 out  44100 Hz  --device portaudio:hw:USB,0 --channels-out 0"
              "  capture only, default input\n"
              "ALSA\n"
              "  my dmix         0 in   2 out  48000 Hz  --device 'portaudio:ALSA/my dmix'\n"
              "  default        32 in  32 out  44100 Hz  --device portaudio:ALSA/default"
              "               default input and output\n"
              "JACK\n"
              "  default         2 in  16 out  96000 Hz  --device jack\n");
}

TEST(DevicePage, TellsCardsOfOneNameApart) {
    const std::vector<DeviceInfo> devices{device("ALSA/A: x (hw:0,0)", "portaudio:hw:0,0", 0, 2),
                                          device("ALSA/A: y (hw:10,0)", "portaudio:hw:10,0", 2, 0)};
    EXPECT_EQ(device_page(devices, {}),
              "A (card 0)\n"
              "  x  0 in  2 out  48000 Hz  --device portaudio:hw:0,0\n"
              "A (card 10)\n"
              "  y  2 in  0 out  48000 Hz  --device portaudio:hw:10,0 --channels-out 0  capture only\n");
}

TEST(DevicePage, ShowsAnyNameSafely) {
    const std::vector<DeviceInfo> hostile{device("ALSA/\x1B[31m: \x1B[0m (hw:0,0)", "portaudio:hw:0,0", 0, 1),
                                          device("\x1B[1m", "", 1, 0), device("x (", "", 0, 1), device("", "", 0, 1)};
    const std::string page = device_page(hostile, {{0, "\x1B"}});
    EXPECT_EQ(page.find('\x1B'), std::string::npos) << page;
    EXPECT_NE(page.find("--device portaudio:hw:0,0\n"), std::string::npos) << page;
    EXPECT_NE(page.find("(cannot be selected: another device has the same name)"), std::string::npos) << page;
    EXPECT_EQ(device_page({}, {}), "");
}

TEST(DevicePage, EveryFlagOfPortAudioIsAccepted) {
    const io::CardIds ids{{0, "PCH"}, {1, "USB"}};
    std::vector<DeviceInfo> devices = some_devices();
    std::erase_if(devices, [](const DeviceInfo& info) { return info.flag == "jack"; });
    for (std::size_t index = 0; index < devices.size(); ++index) {
        const std::string flag = "portaudio:" + io::selecting_name(devices, index, ids);
        EXPECT_EQ(flag, devices[index].flag);
        const auto choice = io::parse_device(flag, io::device_kinds());
        ASSERT_TRUE(choice) << flag;
        const auto direction = devices[index].channels_out > 0 ? io::Direction::output : io::Direction::input;
        EXPECT_EQ(io::find_device(devices, choice->name, direction, ids), index) << flag;
    }
}

}  // namespace
}  // namespace rta::app
