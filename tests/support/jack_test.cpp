// SPDX-License-Identifier: MIT
// The test client itself: what it plays into JACK it records bit-identically at the right frame, and it detects the
// exit of the server.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "support/analysis.h"
#include "support/jack_client.h"
#include "support/jack_server.h"
#include "support/wav.h"

namespace rta::test {
namespace {

TEST(Jack, RecordsWhatItPlaysBitForBit) {
    const JackServer server;
    JackClient client{server, {.inputs = 1, .outputs = 1, .capacity_frames = 480'000}};
    client.connect(client.output_port(0), client.input_port(0));
    const std::vector<float> samples = speech();
    const std::size_t start = client.play(0, samples);
    client.wait_for_frame(start + samples.size() + 1'024);
    ASSERT_FALSE(client.full());
    // When a client is connected to itself, its samples arrive one period later.
    const std::span<const float> heard = client.recording(0).subspan(start);
    const std::size_t delay = find_delay(samples, heard);
    EXPECT_EQ(first_difference(samples, heard.subspan(delay, samples.size())), std::nullopt);
    EXPECT_LE(delay, 256U);
    EXPECT_EQ(client.lost_frames(), 0U);
}

TEST(Jack, KnowsThePortsOfTheServer) {
    const JackServer server;
    JackClient client{server, {.inputs = 1}};
    EXPECT_EQ(client.input_ports("system:"), (std::vector<std::string>{"system:playback_1", "system:playback_2"}));
    EXPECT_EQ(client.output_ports("system:"), (std::vector<std::string>{"system:capture_1", "system:capture_2"}));
    client.connect("system:capture_1", client.input_port(0));
    EXPECT_EQ(client.connections(client.input_port(0)), std::vector<std::string>{"system:capture_1"});
    EXPECT_THROW(client.connect("nobody:out", client.input_port(0)), std::runtime_error);
}

TEST(Jack, NoFrameIsLostWhenTheMachineStopsForAWhile) {
    JackServer server;
    JackClient client{server, {.inputs = 1, .outputs = 1, .capacity_frames = 960'000}};
    client.connect(client.output_port(0), client.input_port(0));
    const std::vector<float> samples = speech();
    const std::size_t start = client.play(0, samples);
    client.wait_for_frame(start + 10'000);
    server.process().signal(SIGSTOP);
    ::usleep(50'000);  // any length greater than a period
    server.process().signal(SIGCONT);
    client.wait_for_frame(start + samples.size() + 1'024);
    const std::span<const float> heard = client.recording(0).subspan(start);
    const std::size_t delay = find_delay(samples, heard);
    EXPECT_EQ(first_difference(samples, heard.subspan(delay, samples.size())), std::nullopt);
    EXPECT_EQ(client.lost_frames(), 0U);
}

TEST(Jack, KilledServersDoNotFillTheRegistry) {
    for (int i = 0; i < 10; ++i) {  // the registry has room for eight
        JackServer server;
        server.process().kill();
    }
    const JackServer server;
}

TEST(Jack, NoticesThatTheServerDied) {
    JackServer server;
    JackClient client{server, {.inputs = 1}};
    client.wait_frames(1'024);
    server.process().kill();
    EXPECT_THROW(client.wait_frames(48'000 * 60), std::runtime_error);
    EXPECT_TRUE(client.shut_down());
}

}  // namespace
}  // namespace rta::test
