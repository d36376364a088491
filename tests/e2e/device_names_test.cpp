// SPDX-License-Identifier: MIT
// The names of devices that rtad lists and accepts, with PCMs of ALSA that need no hardware. They open, and are then
// refused because they are not clocks: the reason names the device that was chosen.
#include <gtest/gtest.h>

#include "support/daemon.h"
#include "support/temporary.h"

namespace rta::test {
namespace {

class DeviceNames : public testing::Test {
 protected:
    DeviceNames() {
        // Without a PCM that fails to open, PortAudio 19.6 aborts.
        write_text(folder_ / "alsa.conf",
                   "pcm.null { type null }\n"
                   "pcm.default { type null }\n"
                   "pcm.sysdefault { type null }\n"
                   "pcm.other { type null }\n"
                   "pcm.failing { type hw card 77 }\n");
    }

    [[nodiscard]] RunResult run(std::vector<std::string> arguments) const {
        return run_rtad(std::move(arguments), {{"ALSA_CONFIG_PATH", folder_ / "alsa.conf"},
                                               {"JACK_DEFAULT_SERVER", "none"},
                                               {"JACK_NO_START_SERVER", "1"}});
    }

    /// Returns why the start is refused.
    [[nodiscard]] std::string refusal(std::vector<std::string> arguments) const {
        arguments.insert(arguments.end(), {"--socket", folder_ / "control.sock", "--listen",
                                           "127.0.0.1:" + std::to_string(free_tcp_port())});
        const RunResult result = run(std::move(arguments));
        EXPECT_EQ(result.status, (ExitStatus{1, 0})) << result.error;
        return result.error;
    }

 private:
    TemporaryDirectory folder_;
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_F(DeviceNames, EveryListedFlagOpensItsDevice) {
    const RunResult listed = run({"devices"});
    EXPECT_EQ(listed.status, (ExitStatus{0, 0})) << listed.error;
    for (const std::string name : {"default", "sysdefault", "other"}) {
        EXPECT_TRUE(has(listed.output, "--device portaudio:ALSA/" + name)) << listed.output;
        const std::string refused = refusal({"--device", "portaudio:ALSA/" + name});
        EXPECT_TRUE(has(refused, "\"ALSA/" + name + "\" runs")) << refused;
    }
}

TEST_F(DeviceNames, AWholeNameIsNotAPartOfAnother) {
    const std::string refused = refusal({"--device", "portaudio:default"});
    EXPECT_TRUE(has(refused, "\"ALSA/default\" runs")) << refused;
}

TEST_F(DeviceNames, AMissingCardIsNamed) {
    const std::string refused = refusal({"--device", "portaudio:hw:31"});
    EXPECT_TRUE(has(refused, "no output device matches \"hw:31\": card 31 not found; available: ")) << refused;
}

TEST_F(DeviceNames, TwoClocksAreRefused) {
    const std::string refused = refusal({"--device", "portaudio:default", "--input-device", "portaudio:other"});
    EXPECT_TRUE(has(refused, "--input-device \"ALSA/other\" conflicts with --device \"ALSA/default\"")) << refused;
    const std::string same = refusal({"--device", "portaudio:other", "--input-device", "portaudio:other"});
    EXPECT_TRUE(has(same, "\"ALSA/other\" runs")) << same;
}

}  // namespace
}  // namespace rta::test
