// SPDX-License-Identifier: MIT
#include "io/flac_writer.h"

#include <gtest/gtest.h>
#include <sndfile.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "io/quantizer.h"
#include "io/sound_reader.h"
#include "sounding_engine.h"

namespace rta::io {
namespace {

using test::TemporaryFolder;

constexpr float kStep = 0x1p-23F;

std::vector<std::int32_t> converted(Quantizer24& quantizer, const std::vector<float>& samples) {
    std::vector<std::int32_t> integers(samples.size());
    quantizer.convert(samples, integers);
    for (std::int32_t& integer : integers) {
        EXPECT_EQ(integer % 256, 0);
        integer /= 256;
    }
    return integers;
}

TEST(Quantizer, SamplesOnTheGridPassUnchanged) {
    Quantizer24 quantizer;
    const std::vector<float> samples{0.0F, -0.0F, kStep, -kStep, 0.5F, -1.0F, 1.0F - kStep, 100.0F * kStep};
    EXPECT_EQ(converted(quantizer, samples),
              (std::vector<std::int32_t>{0, 0, 1, -1, 4'194'304, -8'388'608, 8'388'607, 100}));
    EXPECT_EQ(quantizer.clipped_samples(), 0U);
}

TEST(Quantizer, SamplesOfSixteenBitsPassUnchanged) {
    Quantizer24 quantizer;
    std::vector<float> samples;
    for (int value = -32'768; value < 32'768; ++value) samples.push_back(static_cast<float>(value) / 32'768.0F);
    const std::vector<std::int32_t> integers = converted(quantizer, samples);
    for (int value = -32'768; value < 32'768; ++value) {
        ASSERT_EQ(integers[static_cast<std::size_t>(value + 32'768)], value * 256);
    }
}

/// With triangular dither of two steps, the mean of the error is 0 and its variance a quarter of a step squared,
/// whatever the signal is. Without dither, both depend on the signal.
TEST(Quantizer, TheErrorOfDitheredSamplesDoesNotDependOnTheSignal) {
    constexpr std::size_t kCount = 1'000'000;
    for (const double fraction : {0.01, 0.25, 0.5, 0.9}) {
        for (const double offset : {0.0, 1'000.0, -5'000.0}) {
            Quantizer24 quantizer;
            const std::vector<float> samples(kCount,
                                             static_cast<float>((offset + fraction) * static_cast<double>(kStep)));
            const double exact = static_cast<double>(samples.front()) / static_cast<double>(kStep);
            double sum = 0.0;
            double squares = 0.0;
            double third = 0.0;
            for (const std::int32_t integer : converted(quantizer, samples)) {
                const double error = static_cast<double>(integer) - exact;
                ASSERT_LE(std::abs(error), 1.5);
                sum += error;
                squares += error * error;
                third += error * error * error;
            }
            // Standard errors: 0.5 / sqrt(n) = 0.0005 of the mean, below 0.0005 of the variance.
            EXPECT_NEAR(sum / kCount, 0.0, 0.0025) << fraction << " + " << offset;
            EXPECT_NEAR(squares / kCount, 0.25, 0.0025) << fraction << " + " << offset;
            EXPECT_LT(std::abs(third / kCount), 0.2) << "not degenerate";
        }
    }
}

TEST(Quantizer, LoudSamplesAreDitheredToo) {
    Quantizer24 quantizer;
    // A float near 0.3 has steps of 2^-25: a quarter of a step of the grid.
    const std::vector<float> samples(100'000, 0.3F);
    const double exact = static_cast<double>(0.3F) * 0x1p23;
    double sum = 0.0;
    for (const std::int32_t integer : converted(quantizer, samples)) sum += static_cast<double>(integer) - exact;
    EXPECT_NEAR(sum / 100'000.0, 0.0, 0.008);
}

TEST(Quantizer, ClippedSamplesAreCountedAndDitherIsNot) {
    Quantizer24 quantizer;
    const std::vector<float> samples{
        1.0F, -1.0F, 1.000'000'1F, -1.5F, std::numeric_limits<float>::infinity(), 0.999'999'94F, 0.1F * kStep};
    const std::vector<std::int32_t> integers = converted(quantizer, samples);
    EXPECT_EQ(quantizer.clipped_samples(), 5U) << "the largest value is 1 - 2^-23";
    EXPECT_NEAR(integers[0], 8'388'607, 1);
    EXPECT_NEAR(integers[1], -8'388'608, 1);
    EXPECT_EQ(integers[3], -8'388'608);
    EXPECT_EQ(integers[4], 8'388'607);
}

TEST(Quantizer, TheLargestAndTheSmallestValueAreNotClipped) {
    for (const auto& [sample, integer, clipped] : {std::tuple{1.0F - kStep, 8'388'607, 0U},
                                                   {-1.0F, -8'388'608, 0U},
                                                   {1.0F, 8'388'607, 1U},
                                                   {-1.0F - kStep, -8'388'608, 1U}}) {
        Quantizer24 quantizer;
        EXPECT_EQ(converted(quantizer, {sample}), std::vector<std::int32_t>{integer}) << sample;
        EXPECT_EQ(quantizer.clipped_samples(), clipped) << sample;
    }
}

class FlacWriterTest : public ::testing::Test {
 protected:
    TemporaryFolder folder;
};

TEST_F(FlacWriterTest, WritesTwentyFourBits) {
    std::vector<float> samples = test::noise(1, 2 * 50'000).front();
    for (float& sample : samples) sample = std::round(sample * 0x1p23F) * kStep;
    auto writer = FlacWriter::create(folder / "a.flac", 96'000, 2);
    ASSERT_TRUE(writer) << writer.error().sentence;
    const std::span<const float> all{samples};
    ASSERT_TRUE(writer->write(all.first(2 * 8'192)));
    ASSERT_TRUE(writer->write(all.subspan(2 * 8'192)));
    ASSERT_TRUE(writer->close());
    SF_INFO info{};
    SNDFILE* const file = sf_open((folder / "a.flac").c_str(), SFM_READ, &info);
    ASSERT_NE(file, nullptr);
    EXPECT_EQ(info.format, SF_FORMAT_FLAC | SF_FORMAT_PCM_24);
    EXPECT_EQ(info.samplerate, 96'000);
    EXPECT_EQ(info.frames, 50'000);
    std::vector<float> read(samples.size());
    EXPECT_EQ(sf_readf_float(file, read.data(), info.frames), info.frames);
    sf_close(file);
    EXPECT_EQ(read, samples);
}

TEST_F(FlacWriterTest, WhatFlacCannotHoldIsRefused) {
    const auto wide = FlacWriter::create(folder / "wide.flac", 48'000, 9);
    ASSERT_FALSE(wide);
    EXPECT_EQ(wide.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(wide.error().sentence.find("9 channels, expected at most 8"), std::string::npos) << wide.error().sentence;
    for (const std::uint32_t rate : {768'000U, 88'201U}) {
        const auto fast = FlacWriter::create(folder / "fast.flac", rate, 2);
        ASSERT_FALSE(fast) << rate;
        EXPECT_NE(fast.error().sentence.find(std::to_string(rate) + " Hz, expected up to 65535 Hz"), std::string::npos)
            << fast.error().sentence;
    }
    EXPECT_FALSE(std::filesystem::exists(folder / "wide.flac"));
    for (const std::uint32_t rate : {8'000U, 44'100U, 65'535U, 655'350U}) {
        EXPECT_TRUE(FlacWriter::create(folder / "good.flac", rate, 8)) << rate;
    }
}

/// libsndfile buffers what it encodes, so a small file reaches the disk only when it is closed.
TEST_F(FlacWriterTest, AFullDiskIsReported) {
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    auto* const action = std::signal(SIGXFSZ, SIG_IGN);
    for (const std::size_t frames : {1'000U, 100'000U}) {
        auto writer = FlacWriter::create(folder / "a.flac", 48'000, 1);
        ASSERT_TRUE(writer) << writer.error().sentence;
        const rlimit limit{.rlim_cur = 300, .rlim_max = before.rlim_max};  // bytes
        ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
        auto written = writer->write(test::noise(1, frames).front());
        if (written) written = writer->close();
        EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
        ASSERT_FALSE(written) << frames;
        EXPECT_NE(written.error().sentence.find(folder / "a.flac"), std::string::npos) << written.error().sentence;
    }
    std::signal(SIGXFSZ, action);
}

}  // namespace
}  // namespace rta::io
