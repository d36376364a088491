// SPDX-License-Identifier: MIT
// The node, with files in memory. The test decides when frames arrive.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "graph/node_type.h"
#include "support/fake_files.h"
#include "support/node_bench.h"

namespace rta::test::file_player_test {
namespace {

constexpr std::uint32_t kFade = 1024;  // frames at 48 kHz
constexpr std::uint32_t kStream = 16'384;

/// Frame n of the file is n / 2^20 in the first channel, and -n / 2^20 in the second.
std::vector<float> counting(std::size_t frames, std::uint32_t channels = 1) {
    std::vector<float> samples(frames * channels);
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const float value = static_cast<float>(i / channels) / 0x1p20F;
        samples[i] = i % channels == 0 ? value : -value;
    }
    return samples;
}

std::vector<float> constant(std::size_t frames) { return std::vector<float>(frames, 0.5F); }

/// A player of a file of which frames arrive after every block, unless `stalled`.
class Player {
 public:
    explicit Player(std::vector<float> samples, std::uint32_t channels_of_file = 1, double channels = 1,
                    std::uint32_t block_size = 64, std::map<std::string, float, std::less<>> parameters = {})
        : files_{std::move(samples), channels_of_file, kStream},
          block_size_{block_size},
          bench_{*builtin_nodes().find("file_player"),
                 {{"file", std::string{"a.wav"}}, {"channels", channels}},
                 options(std::move(parameters))} {}

    NodeBench::Recording render(std::uint64_t frames) {
        NodeBench::Recording recording;
        for (std::uint64_t done = 0; done < frames; done += block_size_) {
            NodeBench::Recording block = bench_.render(block_size_);
            recording.resize(block.size());
            for (std::size_t i = 0; i < block.size(); ++i)
                recording[i].insert(recording[i].end(), block[i].begin(), block[i].end());
            if (!stalled) files_.work();
        }
        return recording;
    }
    std::vector<float> render_channel(std::uint64_t frames) { return std::move(render(frames).at(0)); }
    void set(const char* parameter, float value) { bench_.set(parameter, value); }
    FakeFiles& files() { return files_; }

    bool stalled = false;

 private:
    NodeBench::Options options(std::map<std::string, float, std::less<>> parameters) {
        NodeBench::Options options;
        options.block_size = block_size_;
        options.resources = &files_;
        options.parameters = std::move(parameters);
        return options;
    }

    FakeFiles files_;
    std::uint32_t block_size_;
    NodeBench bench_;
};

float largest_step(const std::vector<float>& samples) {
    float largest = 0.0F;
    for (std::size_t i = 1; i < samples.size(); ++i) largest = std::max(largest, std::abs(samples[i] - samples[i - 1]));
    return largest;
}
/// Largest step of a fade of a file of 0.5 over the fade and the ramp of `playing`.
constexpr float kFadeStep = 0.5F / 900;

TEST(FilePlayer, PlaysTheFileExactlyFromItsFirstFrameToItsLast) {
    constexpr std::size_t kFrames = 50'000;
    const std::vector<float> file = counting(kFrames);
    Player player{file};
    const std::vector<float> out = player.render_channel(51'200);
    EXPECT_TRUE(std::equal(file.begin(), file.end(), out.begin()));
    EXPECT_TRUE(std::all_of(out.begin() + kFrames, out.end(), [](float sample) { return sample == 0.0F; }));
    EXPECT_EQ(player.files().stream().ends(), 1U);
    EXPECT_EQ(player.files().stream().dropouts(), 0U);
}

TEST(FilePlayer, PlaysAFileShorterThanItsFades) {
    const std::vector<float> file = counting(10);
    Player player{file};
    const std::vector<float> out = player.render_channel(128);
    EXPECT_TRUE(std::equal(file.begin(), file.end(), out.begin()));
    EXPECT_EQ(out[10], 0.0F);
}

TEST(FilePlayer, FeedsAllChannelsWithAMonoFileAndEachWithItsOwn) {
    Player mono{counting(1'000), 1, 3};
    const NodeBench::Recording three = mono.render(640);
    ASSERT_EQ(three.size(), 3U);
    EXPECT_EQ(three[0], three[2]);
    EXPECT_EQ(three[0][500], 500 / 0x1p20F);
    Player stereo{counting(1'000, 2), 2, 2};
    const NodeBench::Recording two = stereo.render(640);
    EXPECT_EQ(two[0][500], 500 / 0x1p20F);
    EXPECT_EQ(two[1][500], -500 / 0x1p20F);
}

TEST(FilePlayer, ASeekFadesOutAndContinuesAtThePosition) {
    Player player{counting(200'000)};
    player.render(6'400);
    player.set("position_s", 2.0F);
    const std::vector<float> out = player.render_channel(6'400);
    for (std::size_t n = 2 * kFade; n < out.size(); ++n)
        ASSERT_EQ(out[n], static_cast<float>(96'000 + n - kFade) / 0x1p20F) << n;
    Player level{constant(200'000)};
    level.render(6'400);
    level.set("position_s", 2.0F);
    const std::vector<float> faded = level.render_channel(6'400);
    EXPECT_LT(largest_step(faded), kFadeStep);
    EXPECT_LT(faded[kFade - 1], 1e-3F);
}

TEST(FilePlayer, SeeksInAnyOrderLeaveNoStep) {
    Player player{constant(400'000)};
    std::vector<float> out = player.render_channel(6'400);
    for (int i = 0; i < 40; ++i) {
        player.stalled = i % 5 == 4;
        player.set("position_s", static_cast<float>(i % 7));
        if (i % 6 == 5) player.set("playing", i % 4 == 1 ? 1.0F : 0.0F);
        const std::vector<float> more = player.render_channel(static_cast<std::uint64_t>(64 * (1 + i * 7 % 50)));
        out.insert(out.end(), more.begin(), more.end());
    }
    EXPECT_LT(largest_step(out), 2 * kFadeStep);
}

TEST(FilePlayer, ADelayedSeekFadesInWhenItsFramesArrive) {
    Player player{counting(200'000)};
    player.render(6'400);
    player.set("position_s", 2.0F);
    player.stalled = true;
    const std::vector<float> silent = player.render_channel(6'400);
    EXPECT_EQ(largest_step({silent.begin() + kFade, silent.end()}), 0.0F);
    player.files().work();
    player.stalled = false;
    const std::vector<float> out = player.render_channel(6'400);
    for (std::size_t n = kFade; n < out.size(); ++n) ASSERT_EQ(out[n], static_cast<float>(96'000 + n) / 0x1p20F) << n;
}

TEST(FilePlayer, ASlowFileFadesOutAndContinuesWhereItStopped) {
    Player player{constant(100'000)};
    player.stalled = true;
    std::vector<float> out = player.render_channel(25'600);
    EXPECT_EQ(player.files().stream().dropouts(), 1U);
    EXPECT_EQ(out[kStream - kFade - 1], 0.5F);
    EXPECT_TRUE(std::all_of(out.begin() + kStream, out.end(), [](float sample) { return sample == 0.0F; }));
    player.stalled = false;
    player.files().work();
    const std::vector<float> more = player.render_channel(96'000);
    out.insert(out.end(), more.begin(), more.end());
    EXPECT_LT(largest_step({out.begin(), out.begin() + 100'000}), kFadeStep);
    EXPECT_EQ(player.files().stream().dropouts(), 1U);
    // All of the other frames are played, and no more.
    const auto last = std::find_if(out.rbegin(), out.rend(), [](float sample) { return sample != 0.0F; });
    EXPECT_EQ(out.rend() - last, 25'600 + 100'000 - kStream);
}

TEST(FilePlayer, StopsAndStartsAgainAtThePosition) {
    Player player{counting(200'000), 1, 1, 64, {{"position_s", 1.0F}}};
    player.render(9'600);
    player.set("playing", 0.0F);
    const std::vector<float> stopping = player.render_channel(6'400);
    EXPECT_EQ(stopping.back(), 0.0F);
    player.set("playing", 1.0F);
    const std::vector<float> out = player.render_channel(6'400);
    // The ramp of `playing` takes 960 frames, in the first of which it is 0 or more.
    const float first = out[2'000];
    EXPECT_NEAR(first * 0x1p20F, 48'000 + 2'000, 2);
    for (std::size_t n = 2'001; n < out.size(); ++n) ASSERT_EQ(out[n], first + static_cast<float>(n - 2'000) / 0x1p20F);
}

TEST(FilePlayer, DoesNotPlayBeforeItIsStarted) {
    Player player{constant(20'000), 1, 1, 64, {{"playing", 0.0F}}};
    EXPECT_EQ(largest_step(player.render_channel(6'400)), 0.0F);
    player.set("playing", 1.0F);
    const std::vector<float> out = player.render_channel(6'400);
    EXPECT_LT(largest_step(out), kFadeStep * 1.2F);
    EXPECT_EQ(out[1'000], 0.5F);
}

TEST(FilePlayer, IsTheSameForAllBlockSizes) {
    std::vector<std::vector<float>> all;
    for (const std::uint32_t block_size : {16U, 64U, 256U, 1024U}) {
        Player player{counting(400'000), 1, 1, block_size, {{"position_s", 0.5F}}};
        std::vector<float> out = player.render_channel(8'192);
        for (const float position : {2.0F, 1.0F, 0.0F}) {
            player.set("position_s", position);
            const std::vector<float> more = player.render_channel(1'024);
            player.set("gain_db", -position);
            const std::vector<float> rest = player.render_channel(4'096);
            out.insert(out.end(), more.begin(), more.end());
            out.insert(out.end(), rest.begin(), rest.end());
        }
        all.push_back(std::move(out));
    }
    for (const std::vector<float>& out : all) EXPECT_EQ(out, all[0]);
}

TEST(FilePlayer, WithoutAFileIsSilent) {
    NodeBench bench{*builtin_nodes().find("file_player")};
    EXPECT_EQ(largest_step(bench.render_channel(256)), 0.0F);
}

TEST(FilePlayer, AFileThatCannotBeOpenedIsTheErrorOfTheNode) {
    FakeFiles files{counting(10), 1, kStream};
    files.refusal = "the file was not found";
    NodeBench::Options options;
    options.resources = &files;
    EXPECT_THROW(NodeBench(*builtin_nodes().find("file_player"), {{"file", std::string{"a.wav"}}}, options),
                 std::exception);
}

}  // namespace
}  // namespace rta::test::file_player_test
