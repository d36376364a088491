// SPDX-License-Identifier: MIT
// The sound server exits: clients are notified, the null device takes over, edits still work, and rtad exits cleanly
// although PortAudio can no longer close the stream.
#include <gtest/gtest.h>
#include <signal.h>

#include "jack_rig.h"

namespace rta::test {
namespace {

class LostDevice : public testing::TestWithParam<int> {};

TEST_P(LostDevice, TheNullClockTakesOverAndTheExitIsClean) {
    JackRig rig{{}};
    Daemon& daemon = rig.daemon();
    ProtocolClient watcher = daemon.tcp_client("watcher");
    watcher.subscribe();
    ProtocolClient client = daemon.client();
    client.apply(transaction({add_node("sine", "osc"), add_node("output", "out"), connect("osc", "out")}));
    const v1::StatusResult before = client.status();
    ASSERT_EQ(before.device().kind(), "portaudio");

    rig.server().process().signal(GetParam());
    std::optional<v1::Event> event;
    do {
        event = watcher.next_event();
    } while (event && !event->has_device_changed());
    ASSERT_TRUE(event) << "no DeviceChanged came";
    const v1::DeviceState& device = event->device_changed().device();
    EXPECT_EQ(device.kind(), "null");
    EXPECT_TRUE(device.running());
    EXPECT_NE(device.fallback_reason().find("JACK Audio Connection Kit/system"), std::string::npos)
        << device.fallback_reason();

    // The clock continues without the device, and edits take effect.
    const std::uint64_t frame = client.status().engine().frame();
    EXPECT_GE(frame, before.engine().frame());
    const v1::TransactionResult edit = client.apply(transaction({set_parameter("osc", "frequency_hz", 1'000.0F)}));
    EXPECT_GE(edit.frame(), frame);
    const Deadline deadline;
    while (client.status().engine().frame() < frame + 48'000 && !deadline.passed()) {
    }
    const v1::StatusResult after = client.status();
    EXPECT_GE(after.engine().frame(), frame + 48'000);
    EXPECT_EQ(after.device().kind(), "null");
    EXPECT_EQ(after.engine().node_count(), 2U);

    // Closing the stream would block for 600 s and then abort.
    daemon.process().signal(SIGTERM);
    const std::optional<ExitStatus> status = daemon.process().wait(std::chrono::seconds{30});
    ASSERT_TRUE(status) << "rtad waits for PortAudio";
    EXPECT_EQ(*status, (ExitStatus{0, 0})) << daemon.process().error();
}

INSTANTIATE_TEST_SUITE_P(JackServer, LostDevice, testing::Values(SIGKILL, SIGTERM),
                         [](const auto& signal) { return signal.param == SIGKILL ? "Killed" : "Terminated"; });

}  // namespace
}  // namespace rta::test
