// SPDX-License-Identifier: MIT
#include "media/file_frames.h"

#include <gtest/gtest.h>
#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "os/file.h"
#include "support/sound_files.h"
#include "support/temporary.h"

namespace rta::media {
namespace {

using test::kFlac24;
using test::kWav24;
using test::noise_24;
using test::write_sound;

class FileFrames : public testing::Test {
 protected:
    [[nodiscard]] Expected<std::unique_ptr<FrameSource>> open(const char* name, bool repeat = false,
                                                              double sample_rate_hz = 48'000.0) const {
        auto file = os::open_to_read(path(name));
        if (!file) return fail(ErrorCode::not_found, "the test has no such file");
        return open_file_frames(std::move(*file), name, sample_rate_hz, repeat);
    }
    [[nodiscard]] std::string path(const char* name) const { return (directory_ / name).string(); }
    static std::vector<float> read(FrameSource& source, std::size_t frames) {
        std::vector<float> samples(frames * source.channels());
        const auto count = source.read(samples);
        EXPECT_TRUE(count) << count.error().sentence;
        samples.resize(count.value_or(0) * source.channels());
        return samples;
    }

    test::TemporaryDirectory directory_;
};

TEST_F(FileFrames, ReadsFilesOf24BitsExactly) {
    const std::vector<float> samples = noise_24(2 * 100'000);
    ASSERT_TRUE(write_sound(path("a.wav"), kWav24, 2, 48'000, samples));
    ASSERT_TRUE(write_sound(path("a.flac"), kFlac24, 2, 48'000, samples));
    for (const char* name : {"a.wav", "a.flac"}) {
        auto source = open(name);
        ASSERT_TRUE(source) << source.error().sentence;
        EXPECT_EQ(read(**source, 200'000), samples) << name;
        ASSERT_TRUE((*source)->seek(70'001));
        EXPECT_EQ(read(**source, 100), (std::vector<float>{samples.begin() + 140'002, samples.begin() + 140'202}));
    }
}

TEST_F(FileFrames, RepeatsWithoutAGap) {
    // A file that is kept in memory, one that is read again, and one of a single frame.
    for (const std::size_t frames : {std::size_t{1}, std::size_t{1'001}, std::size_t{70'000}}) {
        const std::vector<float> samples = noise_24(frames);
        ASSERT_TRUE(write_sound(path("a.wav"), kWav24, 1, 48'000, samples));
        ASSERT_TRUE(write_sound(path("a.flac"), kFlac24, 1, 48'000, samples));
        for (const char* name : {"a.wav", "a.flac"}) {
            auto source = open(name, true);
            ASSERT_TRUE(source) << source.error().sentence;
            const std::vector<float> out = read(**source, 3 * frames + 17);
            ASSERT_EQ(out.size(), 3 * frames + 17);
            for (std::size_t n = 0; n < out.size(); ++n) ASSERT_EQ(out[n], samples[n % frames]) << name << " " << n;
            ASSERT_TRUE((*source)->seek(5 * frames + frames / 2));
            EXPECT_EQ(read(**source, 1).at(0), samples[frames / 2]);
        }
    }
}

TEST_F(FileFrames, ConvertsAcrossTheSeamOfALoop) {
    constexpr double kTurns = 441.0 / 44'100.0;  // 100 periods in 10,000 frames
    std::vector<float> tone(10'000);
    for (std::size_t n = 0; n < tone.size(); ++n)
        tone[n] = static_cast<float>(0.5 * std::sin(2.0 * std::numbers::pi * kTurns * static_cast<double>(n)));
    ASSERT_TRUE(write_sound(path("a.wav"), SF_FORMAT_WAV | SF_FORMAT_FLOAT, 1, 44'100, tone));
    auto source = open("a.wav", true);
    ASSERT_TRUE(source) << source.error().sentence;
    const std::vector<float> out = read(**source, 60'000);
    ASSERT_EQ(out.size(), 60'000U);
    double largest = 0.0;
    for (std::size_t n = 1'000; n < out.size(); ++n) {
        const double expected = 0.5 * std::sin(2.0 * std::numbers::pi * 441.0 / 48'000.0 * static_cast<double>(n));
        largest = std::max(largest, std::abs(out[n] - expected));
    }
    EXPECT_LT(largest, 1e-5);
}

TEST_F(FileFrames, ReadsEveryFormat) {
    std::vector<float> tone(48'000);
    for (std::size_t n = 0; n < tone.size(); ++n)
        tone[n] =
            static_cast<float>(0.25 * std::sin(2.0 * std::numbers::pi * 997.0 / 48'000.0 * static_cast<double>(n)));
    struct Format {
        const char* name;
        int format;
    };
    for (const Format& format :
         {Format{"WAV", kWav24}, Format{"RF64", SF_FORMAT_RF64 | SF_FORMAT_PCM_24},
          Format{"W64", SF_FORMAT_W64 | SF_FORMAT_PCM_24}, Format{"FLAC", kFlac24},
          Format{"AIFF", SF_FORMAT_AIFF | SF_FORMAT_PCM_24}, Format{"Ogg Vorbis", SF_FORMAT_OGG | SF_FORMAT_VORBIS},
          Format{"Opus", SF_FORMAT_OGG | SF_FORMAT_OPUS}, Format{"MP3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III}}) {
        ASSERT_TRUE(write_sound(path("any"), format.format, 1, 48'000, tone)) << format.name;
        auto source = open("any");
        ASSERT_TRUE(source) << format.name << ": " << source.error().sentence;
        const std::vector<float> out = read(**source, 100'000);
        EXPECT_NEAR(static_cast<double>(out.size()), 48'000.0, 2'400.0) << format.name;
        double power = 0.0;
        for (std::size_t n = 5'000; n < 40'000; ++n) power += out.at(n) * out.at(n);
        EXPECT_NEAR(std::sqrt(power / 35'000.0), 0.25 / std::numbers::sqrt2, 0.005) << format.name;
        ASSERT_TRUE((*source)->seek(1'000)) << format.name;
        EXPECT_EQ(read(**source, 64).size(), 64U) << format.name;
    }
}

TEST_F(FileFrames, AFileThatIsNotUsableIsRefused) {
    test::write_text(path("text"), "this is not a sound file, but it is long enough to be one");
    test::write_text(path("nothing"), "");
    ASSERT_TRUE(write_sound(path("empty.wav"), kWav24, 1, 48'000, {}));
    for (const char* name : {"text", "nothing", "empty.wav"}) {
        const auto source = open(name);
        ASSERT_FALSE(source) << name;
        EXPECT_EQ(source.error().code, ErrorCode::invalid_argument) << source.error().sentence;
        EXPECT_NE(source.error().sentence.find(name), std::string::npos) << source.error().sentence;
    }
}

TEST_F(FileFrames, AFileThatIsCutOffEndsWithAnError) {
    ASSERT_TRUE(write_sound(path("a.flac"), kFlac24, 1, 48'000, noise_24(200'000)));
    std::filesystem::resize_file(path("a.flac"), std::filesystem::file_size(path("a.flac")) / 2);
    for (const bool repeat : {false, true}) {
        auto source = open("a.flac", repeat);
        ASSERT_TRUE(source) << source.error().sentence;
        std::vector<float> samples(300'000);
        Expected<std::size_t> frames = (*source)->read(samples);
        if (frames) frames = (*source)->read(samples);
        ASSERT_FALSE(frames) << *frames;
        EXPECT_EQ(frames.error().code, ErrorCode::unavailable);
    }
}

TEST_F(FileFrames, AFileThatIsCutOffWhileItIsReadEndsWithAnError) {
    ASSERT_TRUE(write_sound(path("a.wav"), kWav24, 1, 48'000, noise_24(1'000'000)));
    auto source = open("a.wav");
    ASSERT_TRUE(source) << source.error().sentence;
    EXPECT_EQ(read(**source, 1'000).size(), 1'000U);
    std::filesystem::resize_file(path("a.wav"), 300'000);
    std::vector<float> samples(1'000'000);
    Expected<std::size_t> frames = (*source)->read(samples);
    if (frames) frames = (*source)->read(samples);
    ASSERT_FALSE(frames) << *frames;
}

TEST_F(FileFrames, NanAndInfinityAreSilence) {
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    ASSERT_TRUE(write_sound(path("a.wav"), SF_FORMAT_WAV | SF_FORMAT_FLOAT, 1, 48'000, {0.5F, kNan, kInfinity, -0.5F}));
    auto source = open("a.wav");
    ASSERT_TRUE(source) << source.error().sentence;
    EXPECT_EQ(read(**source, 4), (std::vector<float>{0.5F, 0.0F, 0.0F, -0.5F}));
}

}  // namespace
}  // namespace rta::media
