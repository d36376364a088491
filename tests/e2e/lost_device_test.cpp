// SPDX-License-Identifier: MIT
// The sound server exits, is killed, hangs, and comes back: clients are notified, the null device takes over, edits still
// work, and rtad plays again with its graph, automatically.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "jack_rig.h"
#include "support/analysis.h"
#include "support/effort.h"
#include "support/temporary.h"

namespace rta::test {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// rtad on a JACK server, without a client that would be lost with the server.
struct LostDevice : testing::Test {
    [[nodiscard]] Daemon::Options options(std::vector<std::string> arguments = {}) const {
        std::vector<std::string> all{"--device", "jack"};
        all.insert(all.end(), arguments.begin(), arguments.end());
        return {.arguments = std::move(all), .environment = server.environment()};
    }
    /// Waits for the event that the requested device has reached `state`.
    static v1::DeviceState await(ProtocolClient& watcher, std::string_view state) {
        while (const auto event = watcher.next_event()) {
            if (event->has_device_changed() && event->device_changed().device().state() == state) {
                return event->device_changed().device();
            }
        }
        ADD_FAILURE() << "the device was never reported as " << state;
        return {};
    }
    static void play_tone(ProtocolClient& client) {
        client.apply(transaction({add_node("sine", "osc"), add_node("output", "out"), connect("osc", "out")}));
    }

    JackServer server;
};

TEST_F(LostDevice, TheNullClockTakesOverUntilTheServerIsBack) {
    for (const int signal : {SIGKILL, SIGTERM}) {
        Daemon daemon{options()};
        ProtocolClient watcher = daemon.tcp_client("watcher");
        watcher.subscribe();
        ProtocolClient client = daemon.client();
        play_tone(client);
        const v1::StatusResult before = client.status();
        ASSERT_EQ(before.device().kind(), "jack");
        EXPECT_EQ(before.device().state(), "running");

        server.process().signal(signal);
        const v1::DeviceState lost = await(watcher, "lost");
        EXPECT_EQ(lost.kind(), "null");
        EXPECT_TRUE(lost.running());
        EXPECT_NE(lost.fallback_reason().find("JACK/" + server.name()), std::string::npos) << lost.fallback_reason();

        // The clock continues without the device, and edits take effect.
        const std::uint64_t frame = client.status().engine().frame();
        EXPECT_GE(frame, before.engine().frame());
        const v1::TransactionResult edit = client.apply(transaction({set_parameter("osc", "frequency_hz", 1'000.0F)}));
        EXPECT_GE(edit.frame(), frame);
        const v1::DeviceState waiting = await(watcher, "waiting");
        EXPECT_NE(waiting.fallback_reason().find("cannot connect"), std::string::npos) << waiting.fallback_reason();

        server.restart();
        const v1::DeviceState back = await(watcher, "running");
        EXPECT_EQ(back.kind(), "jack");
        EXPECT_EQ(back.fallback_reason(), "");
        const v1::StatusResult after = client.status();
        EXPECT_EQ(after.engine().node_count(), 2U);
        EXPECT_EQ(after.engine().revision(), 2U);
        EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0})) << daemon.process().error();
    }
}

TEST_F(LostDevice, TheExitIsCleanWhileTheServerIsGone) {
    Daemon daemon{options()};
    ProtocolClient watcher = daemon.client();
    watcher.subscribe();
    server.kill();
    await(watcher, "waiting");
    EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0})) << daemon.process().error();
    server.restart();
}

/// The database of JACK's metadata as a process leaves it that is killed while it creates it. Restored at the end.
class HalfMadeDatabase {
 public:
    HalfMadeDatabase() {
        std::filesystem::create_directories(file_.parent_path());
        if (std::filesystem::exists(file_)) std::filesystem::rename(file_, saved());
        std::ofstream{file_};
    }
    HalfMadeDatabase(const HalfMadeDatabase&) = delete;
    HalfMadeDatabase& operator=(const HalfMadeDatabase&) = delete;
    ~HalfMadeDatabase() {
        std::error_code ignored;
        std::filesystem::remove(file_, ignored);
        std::filesystem::rename(saved(), file_, ignored);
    }

 private:
    [[nodiscard]] std::filesystem::path saved() const { return file_.string() + ".saved"; }

    std::filesystem::path file_ = "/dev/shm/jack_db-" + std::to_string(::getuid()) + "/__db.001";
};

/// libjack waited for it for 18 s in each attempt, and reported the device after that, if at all.
TEST_F(LostDevice, TheDatabaseOfAKilledServerDelaysNoAttempt) {
    const HalfMadeDatabase database;
    Daemon daemon{options()};
    EXPECT_EQ(daemon.client().status().device().kind(), "jack");
    const RunResult reopened = daemon.ctl({"device", "reopen"});
    EXPECT_EQ(reopened.status, (ExitStatus{0, 0})) << reopened.error;
    std::ifstream maps{"/proc/" + std::to_string(daemon.process().pid()) + "/maps"};
    for (std::string line; std::getline(maps, line);) EXPECT_EQ(line.find("jack_db"), std::string::npos) << line;
}

TEST_F(LostDevice, AServerThatHangsIsReplacedAndComesBack) {
    Daemon daemon{options()};
    ProtocolClient watcher = daemon.tcp_client("watcher");
    watcher.subscribe();
    ProtocolClient client = daemon.client();
    play_tone(client);
    server.process().signal(SIGSTOP);
    EXPECT_EQ(await(watcher, "lost").kind(), "null");
    // libjack hangs, and the control thread does not.
    client.apply(transaction({set_parameter("osc", "frequency_hz", 1'000.0F)}));
    const std::uint64_t frame = client.status().engine().frame();
    const Deadline deadline;
    while (client.status().engine().frame() < frame + 4'800 && !deadline.passed()) ::usleep(1'000);
    EXPECT_GE(client.status().engine().frame(), frame + 4'800);
    server.process().signal(SIGCONT);
    EXPECT_EQ(await(watcher, "running").kind(), "jack");
}

TEST_F(LostDevice, TheDeviceIsChangedWhileTheGraphPlays) {
    Daemon daemon{options({"--jack-connect", "system:.*"})};
    ProtocolClient watcher = daemon.client();
    watcher.subscribe();
    ProtocolClient client = daemon.client();
    play_tone(client);

    const RunResult null = daemon.ctl({"device", "set", "null"});
    EXPECT_EQ(null.status, (ExitStatus{0, 0})) << null.error;
    EXPECT_EQ(null.output, "device: null, running, 48000 Hz, 0 in, 2 out\n");
    EXPECT_EQ(await(watcher, "running").kind(), "null");
    const std::uint64_t frame = client.status().engine().frame();

    const RunResult refused = daemon.ctl({"device", "set", "jack:no-such-server"});
    EXPECT_EQ(refused.status, (ExitStatus{1, 0}));
    EXPECT_NE(refused.error.find("cannot connect to the JACK server \"no-such-server\""), std::string::npos)
        << refused.error;
    // libjack would write beyond a buffer.
    const RunResult too_long = daemon.ctl({"device", "set", "jack:" + std::string(300, 'x')});
    EXPECT_EQ(too_long.status, (ExitStatus{1, 0}));
    EXPECT_NE(too_long.error.find("expected 1 to 64 letters"), std::string::npos) << too_long.error;
    const RunResult forged = daemon.ctl({"device", "set", "jack:a\nerror: forged"});
    EXPECT_EQ(forged.status, (ExitStatus{1, 0}));
    EXPECT_NE(forged.error.find("printable"), std::string::npos) << forged.error;
    const RunResult unknown = daemon.ctl({"device", "set", "tape"});
    EXPECT_EQ(unknown.status, (ExitStatus{1, 0}));
    EXPECT_NE(unknown.error.find("expected auto, jack, jack:SERVER, null"), std::string::npos) << unknown.error;
    const RunResult file = daemon.ctl({"device", "set", "null:/tmp/never-written.wav"});
    EXPECT_EQ(file.status, (ExitStatus{1, 0}));
    EXPECT_FALSE(std::filesystem::exists("/tmp/never-written.wav"));
    EXPECT_EQ(client.status().device().kind(), "null") << "what is refused changes nothing";

    const RunResult jack = daemon.ctl({"device", "set", "jack"});
    EXPECT_EQ(jack.status, (ExitStatus{0, 0})) << jack.error;
    EXPECT_EQ(client.status().device().name(), "JACK/" + server.name());
    EXPECT_GE(client.status().engine().frame(), frame) << "the clock of the engine continues";
    EXPECT_EQ(client.status().engine().node_count(), 2U);
    JackClient witness{server, {.name = "witness", .inputs = 1}};
    EXPECT_EQ(witness.connections("system:playback_1"), std::vector<std::string>{"rtad:out_1"});
    EXPECT_EQ(witness.connections("system:capture_2"), std::vector<std::string>{"rtad:in_2"});

    const RunResult reopened = daemon.ctl({"device", "reopen"});
    EXPECT_EQ(reopened.status, (ExitStatus{0, 0})) << reopened.error;
}

TEST_F(LostDevice, PortsThatAppearLaterAreConnectedButNotAgainAfterAUserDisconnectsThem) {
    Daemon daemon{options({"--jack-connect", "(amp|late):in_.*"})};
    const auto await_connection = [&](JackClient& client) {
        const Deadline deadline;
        while (client.connections(client.input_port(0)).empty() && !deadline.passed()) ::usleep(1'000);
        EXPECT_EQ(client.connections(client.input_port(0)), std::vector<std::string>{"rtad:out_1"});
    };
    for (int start = 0; start < 3; ++start) {
        JackClient amp{server, {.name = "amp", .inputs = 1}};
        await_connection(amp);
    }
    JackClient amp{server, {.name = "amp", .inputs = 1}};
    await_connection(amp);
    amp.wait_frames(9'600);  // rtad has noticed its own connection
    amp.disconnect("rtad:out_1", amp.input_port(0));
    JackClient late{server, {.name = "late", .inputs = 1}};
    amp.wait_frames(48'000);
    EXPECT_TRUE(amp.connections(amp.input_port(0)).empty());
}

TEST_F(LostDevice, TheDeviceThatAClientHasSetSurvivesARestart) {
    const TemporaryDirectory state;
    const auto arguments = [&](const std::string& device) {
        return std::vector<std::string>{"--device", device, "--state-dir", state.path().string()};
    };
    const auto start = [&](const std::string& device) {
        return std::make_unique<Daemon>(
            Daemon::Options{.arguments = arguments(device), .environment = server.environment()});
    };
    auto daemon = start("jack");
    ASSERT_EQ(daemon->client().status().device().kind(), "jack");
    ASSERT_EQ(daemon->ctl({"device", "set", "null"}).status, (ExitStatus{0, 0}));
    daemon->stop();
    daemon = start("jack");
    EXPECT_EQ(daemon->client().status().device().kind(), "null");
    daemon->stop();
    daemon = start("jack:" + server.name());
    EXPECT_EQ(daemon->client().status().device().kind(), "jack") << "the configuration has changed since";
}

/// Records rtad from before a change of its device to after it.
TEST_F(LostDevice, AReopenedDeviceIsHeardWithoutAClick) {
    constexpr std::size_t kSecond = 48'000;
    JackClient witness{server, {.name = "witness", .inputs = 1, .capacity_frames = 30 * kSecond}};
    Daemon daemon{options({"--jack-connect", "witness:in_.*"})};
    ProtocolClient client = daemon.client();
    play_tone(client);
    witness.wait_frames(kSecond / 2);
    const std::size_t before = witness.frames();
    ASSERT_GT(peak(witness.recording(0).subspan(before - 4'800, 4'800)), 0.09);
    const RunResult reopened = daemon.ctl({"device", "reopen"});
    ASSERT_EQ(reopened.status, (ExitStatus{0, 0})) << reopened.error;
    witness.wait_frames(kSecond / 2);
    const std::size_t after = witness.frames();
    ASSERT_GT(peak(witness.recording(0).subspan(after - 4'800, 4'800)), 0.09);
    // A sine of 440 Hz and amplitude 0.1. A fade adds twice its slope times that of the tone, and a corner.
    const double angle = 2.0 * 3.14159265358979 * 440.0 / 48'000.0;
    const double bound = 0.1 * (angle * angle + 2.0 * angle / 960.0 + 1.0 / 960.0);
    EXPECT_LE(largest_second_difference(witness.recording(0).subspan(before - 4'800)).size, bound);
}

/// Memory and descriptors of a process.
struct Resources {
    std::size_t resident_kib = 0;
    std::size_t descriptors = 0;

    [[nodiscard]] static Resources of(pid_t process) {
        const std::filesystem::path folder = "/proc/" + std::to_string(process);
        Resources resources;
        std::ifstream status{folder / "status"};
        for (std::string line; std::getline(status, line);) {
            if (line.starts_with("VmRSS:")) std::istringstream{line.substr(6)} >> resources.resident_kib;
        }
        for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator{folder / "fd"}) {
            ++resources.descriptors;
        }
        return resources;
    }
};

/// The number of losses is RTAD_DEVICE_LOSSES, 6 by default. Prints how long rtad takes after the server accepts clients.
TEST_F(LostDevice, ComesBackEachTimeAndKeepsNothing) {
    const char* const text = std::getenv("RTAD_DEVICE_LOSSES");
    const int losses = text != nullptr ? std::atoi(text) : 6;
    constexpr int kWarmUp = 3;  // libjack allocates some memory at first
    Daemon daemon{options()};
    ProtocolClient watcher = daemon.client("watcher");
    watcher.subscribe();
    ProtocolClient client = daemon.client();
    play_tone(client);
    std::mt19937 random{std::random_device{}()};
    const auto pause = [&](int longest_ms) {
        ::usleep(std::uniform_int_distribution<useconds_t>{0, static_cast<useconds_t>(longest_ms) * 1'000}(random));
    };
    Resources before;
    std::vector<double> taken_ms;
    for (int loss = 0; loss < losses; ++loss) {
        pause(300);
        server.kill();
        pause(losses > 10 ? 3'000 : 500);
        server.restart();
        const auto ready = Clock::now();
        EXPECT_EQ(await(watcher, "running").kind(), "jack");
        taken_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - ready).count());
        EXPECT_EQ(client.status().engine().node_count(), 2U);
        if (loss == kWarmUp - 1) before = Resources::of(daemon.process().pid());
    }
    const Resources after = Resources::of(daemon.process().pid());
    std::ranges::sort(taken_ms);
    std::printf(
        "%d losses: back after %.0f ms (median), %.0f ms (worst); %zu KiB, %zu descriptors before, %zu KiB, %zu "
        "descriptors after\n",
        losses, taken_ms[taken_ms.size() / 2], taken_ms.back(), before.resident_kib, before.descriptors,
        after.resident_kib, after.descriptors);
    EXPECT_LE(after.descriptors, before.descriptors + 2) << "libjack opens some for a moment";
    // AddressSanitizer keeps what is freed.
    if (!kSanitized) {
        EXPECT_LE(after.resident_kib, before.resident_kib + 1'024);
    }
    EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0})) << daemon.process().error();
}

}  // namespace
}  // namespace rta::test
