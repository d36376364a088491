// SPDX-License-Identifier: MIT
// Files that nodes play: rendered, checked, and played by a daemon.
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "recorded_daemon.h"
#include "support/daemon.h"
#include "support/sound_files.h"
#include "support/wav.h"

namespace rta::test {
namespace {

/// A player of two channels into the output.
std::string player_document(const std::string& file, const std::string& settings = "",
                            const std::string& parameters = "") {
    return R"({"nodes": [{"name": "player", "type": "file_player", "settings": {"file": ")" + file +
           R"(", "channels": 2)" + settings + R"(}, "parameters": {)" + parameters +
           R"(}}, {"name": "out", "type": "output", "settings": {"channels": 2}}],
           "connections": [{"from": "player", "to": "out"}]})";
}

class MediaFile : public testing::Test {
 protected:
    MediaFile() { std::filesystem::create_directories(directory_ / "media"); }

    [[nodiscard]] std::string path(const char* name) const { return (directory_ / name).string(); }
    [[nodiscard]] std::string media() const { return path("media"); }
    static void save(const std::string& file, int format, std::uint32_t channels, std::uint32_t sample_rate_hz,
                     const std::vector<float>& interleaved) {
        ASSERT_TRUE(write_sound(file, format, channels, sample_rate_hz, interleaved));
    }
    RunResult rtad(std::vector<std::string> arguments) { return run_rtad(std::move(arguments)); }
    RunResult render(const std::string& document, std::vector<std::string> more) {
        write_text(directory_ / "graph.json", document);
        std::vector<std::string> arguments{"render",      "--graph", path("graph.json"), "--output", path("out.wav"),
                                           "--media-dir", media()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return rtad(std::move(arguments));
    }
    /// Expects frame n of the output to be that of the file, plus `from`, in a loop if `period` is given.
    static void expect_equal(const Wav& out, const std::vector<float>& file, std::size_t first, std::size_t last,
                             std::size_t from = 0, std::size_t period = SIZE_MAX) {
        for (std::size_t channel = 0; channel < 2; ++channel) {
            for (std::size_t n = first; n < last; ++n)
                ASSERT_EQ(out.channels[channel][n], file[2 * ((n + from) % period) + channel]) << n;
        }
    }

    TemporaryDirectory directory_;
};

TEST_F(MediaFile, IsRenderedExactly) {
    constexpr std::size_t kFrames = 200'000;
    const std::vector<float> samples = noise_24(2 * kFrames);
    save(path("media/a.wav"), kWav24, 2, 48'000, samples);
    save(path("media/a.flac"), kFlac24, 2, 48'000, samples);
    for (const char* file : {"a.wav", "a.flac"}) {
        for (const char* block_size : {"16", "64", "1024"}) {
            const RunResult result = render(player_document(file), {"--duration", "5", "--block-size", block_size});
            ASSERT_EQ(result.status, ExitStatus{.code = 0}) << result.error;
            const Wav out = read_wav(directory_ / "out.wav");
            ASSERT_EQ(out.frames(), 240'000U);
            expect_equal(out, samples, 0, kFrames);
            EXPECT_EQ(out.channels[0][kFrames], 0.0F);
            EXPECT_EQ(out.channels[1].back(), 0.0F);
        }
    }
}

TEST_F(MediaFile, LoopsWithoutAGap) {
    constexpr std::size_t kFrames = 70'001;
    const std::vector<float> samples = noise_24(2 * kFrames);
    save(path("media/a.wav"), kWav24, 2, 48'000, samples);
    save(path("media/a.flac"), kFlac24, 2, 48'000, samples);
    for (const char* file : {"a.wav", "a.flac"}) {
        const RunResult result = render(player_document(file, R"(, "loop": true)"), {"--duration", "7"});
        ASSERT_EQ(result.status, ExitStatus{.code = 0}) << result.error;
        const Wav out = read_wav(directory_ / "out.wav");
        expect_equal(out, samples, 0, out.frames(), 0, kFrames);
    }
}

TEST_F(MediaFile, StartsAtItsPosition) {
    const std::vector<float> samples = noise_24(2 * 200'000);
    save(path("media/a.wav"), kWav24, 2, 48'000, samples);
    for (const char* block_size : {"16", "1024"}) {
        const RunResult result =
            render(player_document("a.wav", "", R"("position_s": 2)"), {"--duration", "2", "--block-size", block_size});
        ASSERT_EQ(result.status, ExitStatus{.code = 0}) << result.error;
        expect_equal(read_wav(directory_ / "out.wav"), samples, 2'048, 90'000, 96'000 - 1'024);
    }
}

TEST_F(MediaFile, ThatIsNotUsableRefusesTheGraph) {
    save(path("media/mono4.wav"), kWav24, 4, 48'000, noise_24(400));
    save(path("media/a.flac"), kFlac24, 2, 48'000, noise_24(400'000));
    write_text(directory_ / "media/empty.wav", "");
    write_text(directory_ / "media/text.wav", "this is not a sound file, but it is long enough to be one");
    write_text(directory_ / "secret.wav", "secret");
    std::filesystem::create_symlink("../secret.wav", directory_ / "media/link.wav");
    struct Case {
        const char* file;
        const char* words;
    };
    for (const Case& bad : {Case{"missing.wav", "was not found"}, Case{"empty.wav", "is not a sound file"},
                            Case{"text.wav", "is not a sound file"}, Case{"mono4.wav", "set its channels to 4"},
                            Case{"../secret.wav", "invalid file name"}, Case{"link.wav", "symbolic link"}}) {
        const RunResult result = render(player_document(bad.file), {"--duration", "1"});
        EXPECT_EQ(result.status, ExitStatus{.code = 2}) << bad.file;
        EXPECT_NE(result.error.find(bad.words), std::string::npos) << result.error;
        EXPECT_NE(result.error.find("node \"player\""), std::string::npos) << result.error;
        EXPECT_FALSE(std::filesystem::exists(directory_ / "out.wav"));
        const RunResult checked = rtad({"check", path("graph.json"), "--media-dir", media()});
        EXPECT_EQ(checked.status, ExitStatus{.code = 2}) << bad.file;
        EXPECT_NE(checked.error.find(bad.words), std::string::npos) << checked.error;
    }
    const RunResult folder = rtad({"check", path("graph.json"), "--media-dir", path("nowhere")});
    EXPECT_EQ(folder.status, ExitStatus{.code = 2});
    EXPECT_NE(folder.error.find("nowhere"), std::string::npos) << folder.error;
}

TEST_F(MediaFile, ThatIsCutOffFailsTheRendering) {
    save(path("media/a.flac"), kFlac24, 2, 48'000, noise_24(800'000));
    std::filesystem::resize_file(directory_ / "media/a.flac", 500'000);
    const RunResult result = render(player_document("a.flac"), {"--duration", "20"});
    EXPECT_EQ(result.status, ExitStatus{.code = 1});
    EXPECT_NE(result.error.find("a.flac"), std::string::npos) << result.error;
    EXPECT_FALSE(std::filesystem::exists(directory_ / "out.wav"));
}

TEST_F(MediaFile, ThatIsMissingIsRefusedByADaemonButNotAtARestart) {
    save(path("media/a.wav"), kWav24, 2, 48'000, noise_24(2 * 480'000));
    const Daemon::Options options{
        .arguments = {"--device", "null", "--media-dir", media(), "--state-dir", path("state")}};
    std::string document;
    {
        Daemon daemon{options};
        ASSERT_EQ(daemon.ctl({"play", "file_player:file=a.wav,channels=2"}).status, ExitStatus{.code = 0});
        document = daemon.ctl({"graph", "show"}).output;
        const RunResult refused = daemon.ctl({"add", "file_player", "second", "file=missing.wav"});
        EXPECT_EQ(refused.status, ExitStatus{.code = 1});
        EXPECT_NE(refused.error.find("node \"second\": the file \"missing.wav\" was not found in the media folders"),
                  std::string::npos)
            << refused.error;
        EXPECT_EQ(daemon.ctl({"set", "file_player.file=../state/graph.json"}).status, ExitStatus{.code = 1});
        EXPECT_EQ(daemon.ctl({"graph", "show"}).output, document);
        // It plays on: the daemon has it open.
        std::filesystem::rename(directory_ / "media/a.wav", directory_ / "a.wav");
        EXPECT_EQ(daemon.ctl({"set", "file_player.position_s=2"}).status, ExitStatus{.code = 0});
        EXPECT_EQ(daemon.stop(), ExitStatus{.code = 0});
    }
    Daemon daemon{options};
    // What is written has the new position.
    EXPECT_NE(daemon.ctl({"graph", "show"}).output.find("file_player"), std::string::npos);
    EXPECT_EQ(daemon.stop(), ExitStatus{.code = 0});
    EXPECT_NE(daemon.process().error().find("its node is silent"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(directory_ / "state/graph.json.kept-1"));
}

}  // namespace
}  // namespace rta::test
