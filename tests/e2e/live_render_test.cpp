// SPDX-License-Identifier: MIT
// The live output is bit-identical to the output of `rtad render` until the fade at exit.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <cmath>
#include <filesystem>

#include "recorded_daemon.h"
#include "support/analysis.h"

namespace rta::test {
namespace {

constexpr std::size_t kSecond = 48'000;

/// Sums, gains of nodes and connections, two outputs on different channels, and an impulse in the first frame.
constexpr const char* kDocument = R"({
  "nodes": [
    {"name": "low", "type": "sine", "parameters": {"frequency_hz": 110.5, "gain_db": -9}},
    {"name": "high", "type": "sine", "parameters": {"frequency_hz": 3331.25, "gain_db": -13.7}},
    {"name": "offset", "type": "constant", "parameters": {"value": 0.03125}},
    {"name": "tick", "type": "impulse", "parameters": {"gain_db": -6}},
    {"name": "vol", "type": "gain", "parameters": {"gain_db": -1.3, "invert": 1}},
    {"name": "both", "type": "output", "settings": {"channels": 2}},
    {"name": "right", "type": "output", "settings": {"first_channel": 2}, "parameters": {"gain_db": -3}}
  ],
  "connections": [
    {"from": "low", "to": "vol"}, {"from": "high", "to": "vol", "gain_db": -2.5}, {"from": "vol", "to": "both"},
    {"from": "tick", "to": "both"}, {"from": "offset", "to": "both"}, {"from": "high", "to": "right"}
  ]
})";

/// Returns the start of the fade at exit: the first frame at which a sample differs.
std::size_t check_until_fade(const Wav& live, const Wav& rendered) {
    std::size_t same = std::min(live.frames(), rendered.frames());
    for (std::size_t channel = 0; channel < 2; ++channel) {
        same = std::min(same, first_difference(live.channels[channel], rendered.channels[channel]).value_or(same));
    }
    return same;
}

/// Expects that from `begin` on the live samples are the rendered ones times a linear ramp from 1 to 0 over
/// `kDeviceFadeFrames` frames, and silence after it.
void expect_fade_out(const std::vector<float>& live, const std::vector<float>& rendered, std::size_t begin) {
    // In the first frames of the ramp the gain is 1 or rounds to the same bits, so the fade may start slightly earlier.
    for (std::size_t n = begin; n < live.size(); ++n) {
        const double along = static_cast<double>(n - begin + 1) / static_cast<double>(kDeviceFadeFrames);
        const double expected = static_cast<double>(rendered[n]) * std::max(0.0, 1.0 - along);
        // The start is uncertain by two frames.
        const double tolerance =
            2.0 / static_cast<double>(kDeviceFadeFrames) * std::abs(static_cast<double>(rendered[n])) + 1e-7;
        ASSERT_NEAR(live[n], expected, tolerance) << "frame " << n << ", the fade began at " << begin;
        if (n >= begin + kDeviceFadeFrames + 2) {
            ASSERT_EQ(live[n], 0.0F) << "frame " << n << ", the fade began at " << begin;
        }
    }
}

void compare(const Wav& live) {
    ASSERT_EQ(live.channels.size(), 2U);
    EXPECT_TRUE(live.float32);
    EXPECT_EQ(live.sample_rate_hz, 48'000U);
    const double seconds = static_cast<double>(live.frames()) / 48'000.0;
    const Wav rendered = render(kDocument, std::ceil(seconds) + 1.0);
    ASSERT_EQ(rendered.channels.size(), 2U);
    EXPECT_TRUE(rendered.float32);
    ASSERT_GE(rendered.frames(), live.frames());
    // The graph must not be silent: comparing silence would prove nothing.
    EXPECT_GT(rms(live.channels[0]), 0.1);
    EXPECT_GT(rms(live.channels[1]), 0.1);

    const std::size_t same = check_until_fade(live, rendered);
    EXPECT_GT(same, 2 * kSecond) << "the same bits until the exit";
    ASSERT_GE(live.frames(), same + kDeviceFadeFrames - 1) << "the file ends after the fade";
    for (std::size_t channel = 0; channel < 2; ++channel)
        expect_fade_out(live.channels[channel], rendered.channels[channel], same);
}

TEST(LiveRender, LiveAndRenderedAreTheSameBitsUntilTheFadeAtTheExit) {
    RecordedDaemon recorded{{.graph = kDocument}};
    recorded.wait_for_frame(2 * kSecond + kSecond / 2);
    compare(recorded.stop());
}

TEST(LiveRender, InterruptEndsLikeTerminate) {
    RecordedDaemon recorded{{.graph = kDocument}};
    recorded.wait_for_frame(2 * kSecond + kSecond / 2);
    recorded.daemon().process().signal(SIGINT);
    EXPECT_EQ(recorded.daemon().process().wait(), (ExitStatus{0, 0}));
    compare(recorded.stop());
}

TEST(LiveRender, AnotherBlockSizeRendersTheSameSamples) {
    const Wav reference = render(kDocument, 1.0);
    for (const char* block : {"16", "256", "1024"}) {
        const Wav other = render(kDocument, 1.0, {"--block-size", block});
        ASSERT_EQ(other.frames(), reference.frames()) << block;
        for (std::size_t channel = 0; channel < 2; ++channel) {
            for (std::size_t n = 0; n < reference.frames(); ++n) {
                ASSERT_NEAR(other.channels[channel][n], reference.channels[channel][n], 1e-5)
                    << block << ", frame " << n;
            }
        }
    }
}

TEST(LiveRender, HasTheLengthAskedForAndAsManyChannelsAsTheHighestOneUsed) {
    const Wav wav = render(R"({"nodes": [{"name": "one", "type": "constant", "parameters": {"value": 0.5}},
                                         {"name": "out", "type": "output", "settings": {"first_channel": 3}}],
                               "connections": [{"from": "one", "to": "out"}]})",
                           0.1);
    ASSERT_EQ(wav.channels.size(), 3U);
    EXPECT_EQ(wav.frames(), 4'800U);
    EXPECT_EQ(peak(wav.channels[0]), 0.0);
    EXPECT_EQ(peak(wav.channels[1]), 0.0);
    // A render starts without a fade: the first frame has its full value.
    for (const float sample : wav.channels[2]) ASSERT_EQ(sample, 0.5F);
}

/// Counts the incomplete files next to OUT.wav.
int partial_files(const std::filesystem::path& folder) {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        if (entry.path().filename().string().starts_with("out.wav.partial")) ++count;
    }
    return count;
}

TEST(LiveRender, AnInterruptionLeavesTheFileAsItWas) {
    for (const int signal : {SIGINT, SIGTERM}) {
        const TemporaryDirectory directory;
        const std::filesystem::path file = directory / "out.wav";
        write_text(directory / "graph.json", kDocument);
        write_text(file, "as it was");
        // A file of this duration would be larger than 4 GiB.
        Process process{{rtad_program(),
                         {"render", "--graph", (directory / "graph.json").string(), "--duration", "1e9", "--output",
                          file.string()}}};
        while (partial_files(directory.path()) == 0) ASSERT_TRUE(process.running()) << process.error();
        process.signal(signal);
        EXPECT_EQ(process.wait(), (ExitStatus{.code = 1}));
        EXPECT_EQ(process.error(), "rtad: interrupted: no file was written\n");
        EXPECT_EQ(read_text(file), "as it was");
        EXPECT_EQ(partial_files(directory.path()), 0);
    }
}

/// Returns whether the first thread of a process waits in a system call.
bool waits(pid_t pid) {
    const std::string status = read_text("/proc/" + std::to_string(pid) + "/stat");
    const std::size_t name_end = status.rfind(')');
    return name_end != std::string::npos && status.compare(name_end, 3, ") S") == 0;
}

TEST(LiveRender, AnInterruptionEndsTheWaitForAWriterOfAPipe) {
    const TemporaryDirectory directory;
    const std::string pipe = (directory / "in.wav").string();
    write_text(directory / "graph.json", kDocument);
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    Process process{{rtad_program(),
                     {"render", "--graph", (directory / "graph.json").string(), "--input", pipe, "--output",
                      (directory / "out.wav").string()}}};
    while (partial_files(directory.path()) == 0 || !waits(process.pid()))
        ASSERT_TRUE(process.running()) << process.error();
    process.signal(SIGTERM);
    EXPECT_EQ(process.wait(), (ExitStatus{.code = 1}));
    EXPECT_EQ(process.error(), "rtad: interrupted: no file was written\n");
    EXPECT_EQ(partial_files(directory.path()), 0);
}

TEST(LiveRender, ReplacesAFileAndWritesToWhatIsNone) {
    const TemporaryDirectory directory;
    write_text(directory / "graph.json", kDocument);
    const auto render_to = [&](const std::filesystem::path& file) {
        return run({rtad_program(),
                    {"render", "--graph", (directory / "graph.json").string(), "--duration", "0.1", "--output",
                     file.string()}})
            .status;
    };
    const std::filesystem::path file = directory / "out.wav";
    const std::filesystem::path link = directory / "link.wav";
    write_text(file, "as it was");
    std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    std::filesystem::create_symlink("out.wav", link);
    EXPECT_EQ(render_to(link), (ExitStatus{.code = 0}));
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_EQ(read_wav(file).frames(), 4'800U);
    EXPECT_EQ(std::filesystem::status(file).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    EXPECT_EQ(partial_files(directory.path()), 0);
    // A predictable name could be a symbolic link that an attacker has created, to a file that must not be overwritten.
    write_text(directory / "victim", "as it was");
    std::filesystem::create_symlink("victim", directory / "new.wav.partial");
    EXPECT_EQ(render_to(directory / "new.wav"), (ExitStatus{.code = 0}));
    EXPECT_EQ(read_text(directory / "victim"), "as it was");
    EXPECT_EQ(read_wav(directory / "new.wav").frames(), 4'800U);
    const mode_t mask = ::umask(0);
    ::umask(mask);
    EXPECT_EQ(std::filesystem::status(directory / "new.wav").permissions(),
              static_cast<std::filesystem::perms>(0666U & ~mask));
    EXPECT_EQ(render_to("/dev/null"), (ExitStatus{.code = 0}));
    EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(LiveRender, RendersWhatComesFromAFile) {
    const TemporaryDirectory directory;
    const std::vector<float> samples = speech();
    write_wav(directory / "in.wav", {48'000, {samples}, false});
    const Wav wav = render(R"({"nodes": [{"name": "in", "type": "input"}, {"name": "vol", "type": "gain"},
                                         {"name": "out", "type": "output"}],
                               "connections": [{"from": "in", "to": "vol"}, {"from": "vol", "to": "out"}]})",
                           3.0, {"--input", (directory / "in.wav").string()});
    ASSERT_EQ(wav.frames(), 3 * kSecond);
    EXPECT_EQ(first_difference(wav.channels[0], samples), std::nullopt);
    EXPECT_EQ(peak(std::span<const float>{wav.channels[0]}.subspan(samples.size())), 0.0) << "silence follows";
}

}  // namespace
}  // namespace rta::test
