// SPDX-License-Identifier: MIT
#include "io/offline_device.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "io/block_adapter.h"
#include "io/sound_reader.h"
#include "io/wav_file.h"
#include "sounding_engine.h"

namespace rta::io {
namespace {

using test::kThrough;
using test::kTone;
using test::noise;
using test::TemporaryFolder;

/// A frame of 1 in the last frame of silence.
std::vector<float> click(std::size_t frames) {
    std::vector<float> samples(frames, 0.0F);
    samples.back() = 1.0F;
    return samples;
}

std::string delay(const std::string& time_ms, const std::string& feedback) {
    return R"({"nodes": [{"name": "in", "type": "input"},
                         {"name": "echo", "type": "delay_line", "settings": {"max_time_ms": 9000},
                          "parameters": {"time_ms": )" +
           time_ms + R"(, "feedback": )" + feedback + R"(, "mix": 1}},
                         {"name": "out", "type": "output"}],
               "connections": [{"from": "in", "to": "echo"}, {"from": "echo", "to": "out"}]})";
}

constexpr std::string_view kLimiter = R"({
    "nodes": [{"name": "in", "type": "input"}, {"name": "lim", "type": "limiter"}, {"name": "out", "type": "output"}],
    "connections": [{"from": "in", "to": "lim"}, {"from": "lim", "to": "out"}]})";

class OfflineDeviceTest : public ::testing::Test {
 protected:
    void load(std::string_view document) {
        engine.emplace(builtin_nodes(), EngineConfig{.sample_rate_hz = 48'000, .block_size = 64});
        test::load(*engine, document);
    }

    std::string write(std::string_view name, std::uint32_t channels, const std::vector<float>& samples) const {
        auto writer = WavWriter::create(folder / name, 48'000, channels);
        EXPECT_TRUE(writer);
        EXPECT_TRUE(writer->write(samples));
        EXPECT_TRUE(writer->close());
        return folder / name;
    }

    /// Renders with the loaded graph, whose device is kept for questions.
    Expected<void> try_render(OfflineDevice::Config config) {
        config.output.path = folder / "out.wav";
        auto opened = OfflineDevice::open(config);
        if (!opened) return std::unexpected(opened.error());
        device = std::move(*opened);
        const DeviceDescription& description = device->description();
        BlockAdapter adapter{engine->gate(), engine->renderer(), 48'000, description.channels_in,
                             description.channels_out};
        adapter.grant(engine->gate().start_generation());
        if (auto started = device->start(adapter); !started) return started;
        while (!device->ended()) {
            if (auto advanced = device->advance(); !advanced) return advanced;
        }
        return device->finish();
    }

    /// Returns the interleaved samples of the file.
    std::vector<float> render(const OfflineDevice::Config& config) {
        const auto rendered = try_render(config);
        if (!rendered) {
            ADD_FAILURE() << rendered.error().sentence;
            return {};
        }
        auto reader = SoundReader::open(folder / "out.wav");
        if (!reader) {
            ADD_FAILURE() << reader.error().sentence;
            return {};
        }
        EXPECT_EQ(reader->frames(), device->output().frames());
        std::vector<float> samples(reader->frames() * reader->channels());
        EXPECT_EQ(reader->read(samples), reader->frames());
        return samples;
    }

    /// The configuration for mono.
    OfflineDevice::Config mono(const std::vector<float>& input, const RenderExtent& extent) const {
        return {.channels_in = 1,
                .input_file = write("in.wav", 1, input),
                .output = {.channels = 1, .extent = extent, .groups = {{0, 1}}}};
    }

    std::uint64_t latency() const { return engine->latency().output_frames; }

    TemporaryFolder folder;
    std::optional<Engine> engine;
    std::unique_ptr<OfflineDevice> device;
};

/// The tail of `rtad render` without options.
constexpr std::uint64_t kTenSeconds = 480'000;

TEST_F(OfflineDeviceTest, TheLengthIsThatAskedForAndSilenceFollowsTheInput) {
    const std::vector<float> input = noise(1, 2 * 20'000).front();
    const std::string file = write("in.wav", 2, input);
    // Around one block and one piece, and beyond the input.
    for (const std::uint64_t length : {1U, 63U, 64U, 713U, 8'191U, 8'192U, 8'193U, 20'000U, 30'001U}) {
        load(kThrough);
        std::vector<float> expected = input;
        expected.resize(2 * length, 0.0F);
        EXPECT_EQ(render({.channels_in = 2, .input_file = file, .output = {.extent = {.length = length}}}), expected)
            << length;
    }
}

TEST_F(OfflineDeviceTest, WithoutALengthTheFileIsAsLongAsItsInput) {
    for (const std::size_t frames : {1U, 64U, 8'192U, 8'200U, 20'000U}) {
        load(kThrough);
        std::vector<float> input = noise(1, 2 * frames).front();
        input.back() = 0.0F;
        input[input.size() - 2] = 0.0F;  // the last frame is silent, and is part of the input
        EXPECT_EQ(render({.channels_in = 2,
                          .input_file = write("in.wav", 2, input),
                          .output = {.extent = {.longest_tail = kTenSeconds}}}),
                  input)
            << frames;
        EXPECT_FALSE(device->output().tail_was_cut());
    }
}

TEST_F(OfflineDeviceTest, TheTailEndsWhereTheOutputStaysSilent) {
    // An echo after 7 s of silence.
    load(delay("7000", "0"));
    std::vector<float> rendered = render(mono(click(100), {.longest_tail = kTenSeconds}));
    EXPECT_EQ(rendered.size(), 100U + 336'000U);
    EXPECT_NEAR(rendered.back(), 1.0F, 1e-4F);
    EXPECT_FALSE(device->output().tail_was_cut());

    // Echoes that fall by 12 dB every 100 ms: the eighth is at -84 dBFS, the ninth is below -90.
    load(delay("100", "0.25"));
    rendered = render(mono(click(100), {.longest_tail = kTenSeconds}));
    EXPECT_EQ(rendered.size(), 100U + 8U * 4'800U);
    EXPECT_NEAR(rendered.back(), std::pow(0.25F, 7.0F), 1e-6F);
    EXPECT_FALSE(device->output().tail_was_cut());
}

TEST_F(OfflineDeviceTest, WhatIsQuietBeforeTheEndOfTheTailIsKept) {
    load(delay("1000", "0"));
    std::vector<float> input = noise(1, 30'000).front();
    for (float& sample : input) sample *= 1e-5F;  // -100 dBFS
    input.back() = 0.5F;
    const std::vector<float> rendered = render(mono(input, {.longest_tail = kTenSeconds}));
    ASSERT_EQ(rendered.size(), 30'000U + 48'000U);
    for (std::size_t n = 0; n < input.size(); ++n) ASSERT_NEAR(rendered[48'000 + n], input[n], 1e-9F) << n;
    EXPECT_EQ(device->output().levels().front().frame_count, 78'000U) << "what was held back is measured, too";
}

TEST_F(OfflineDeviceTest, ATailThatDoesNotEndIsCutAndSaysSo) {
    load(
        R"({"nodes": [{"name": "in", "type": "input"}, {"name": "osc", "type": "sine"}, {"name": "out", "type": "output"}],
             "connections": [{"from": "in", "to": "out"}, {"from": "osc", "to": "out"}]})");
    EXPECT_EQ(render(mono(click(100), {.longest_tail = kTenSeconds})).size(), 100U + kTenSeconds);
    EXPECT_TRUE(device->output().tail_was_cut());
}

TEST_F(OfflineDeviceTest, ATailHasTheLengthAskedFor) {
    for (const std::uint64_t tail : {0U, 1U, 50'000U}) {
        load(kThrough);
        std::vector<float> expected = noise(1, 2 * 1'000).front();
        const std::string file = write("in.wav", 2, expected);
        expected.resize(2 * (1'000 + tail), 0.0F);
        EXPECT_EQ(render({.channels_in = 2, .input_file = file, .output = {.extent = {.tail = tail}}}), expected);
    }
}

TEST_F(OfflineDeviceTest, TheEndOfTheInputIsNotLostInTheLatencyOfTheGraph) {
    load(kLimiter);
    ASSERT_GT(latency(), 100U);
    std::vector<float> input = click(10'000);
    input.back() = 0.5F;
    for (const std::optional<std::uint64_t> tail : {std::optional<std::uint64_t>{}, std::optional<std::uint64_t>{0}}) {
        load(kLimiter);
        const std::vector<float> rendered =
            render(mono(input, {.latency = latency(), .tail = tail, .longest_tail = kTenSeconds}));
        ASSERT_EQ(rendered.size(), 10'000U + latency());
        EXPECT_NEAR(rendered.back(), 0.5F, 1e-6F);
    }
}

TEST_F(OfflineDeviceTest, AlignmentRemovesTheLatencyAndNothingElse) {
    load(kLimiter);
    const std::vector<float> input = noise(1, 10'000).front();
    const std::vector<float> late = render(mono(input, {.latency = latency(), .tail = std::uint64_t{0}}));
    load(kLimiter);
    const std::vector<float> aligned =
        render(mono(input, {.skipped = latency(), .latency = latency(), .tail = std::uint64_t{0}}));
    ASSERT_EQ(aligned.size(), 10'000U);
    EXPECT_EQ(aligned, std::vector<float>(late.begin() + static_cast<std::ptrdiff_t>(latency()), late.end()));
    load(kLimiter);
    const std::vector<float> with_length =
        render(mono(input, {.skipped = latency(), .latency = latency(), .length = 10'000U}));
    EXPECT_EQ(with_length, aligned);
}

TEST_F(OfflineDeviceTest, AMonoFileFeedsAllInputs) {
    const std::vector<float> input = noise(1, 1'000).front();
    load(kThrough);
    const std::vector<float> rendered = render(
        {.channels_in = 2, .input_file = write("in.wav", 1, input), .output = {.extent = {.tail = std::uint64_t{0}}}});
    ASSERT_EQ(rendered.size(), 2'000U);
    for (std::size_t n = 0; n < 1'000; ++n) {
        ASSERT_EQ(rendered[2 * n], input[n]) << n;
        ASSERT_EQ(rendered[2 * n + 1], input[n]) << n;
    }
}

TEST_F(OfflineDeviceTest, MissingChannelsAreSilentAndOthersAreDropped) {
    constexpr std::string_view kThree = R"({
        "nodes": [{"name": "in", "type": "input", "settings": {"channels": 3}},
                  {"name": "out", "type": "output", "settings": {"channels": 3}}],
        "connections": [{"from": "in", "to": "out"}]})";
    const std::vector<float> input = noise(1, 4 * 500).front();
    for (const std::uint32_t width : {2U, 4U}) {
        load(kThree);
        const std::vector<float> file{input.begin(), input.begin() + width * 500};
        const std::vector<float> rendered = render({.channels_in = 3,
                                                    .input_file = write("in.wav", width, file),
                                                    .output = {.channels = 3, .extent = {.tail = std::uint64_t{0}}}});
        ASSERT_EQ(rendered.size(), 1'500U);
        for (std::size_t frame = 0; frame < 500; ++frame) {
            for (std::size_t channel = 0; channel < 3; ++channel) {
                const float expected = channel < width ? file[frame * width + channel] : 0.0F;
                ASSERT_EQ(rendered[3 * frame + channel], expected) << frame << ", " << channel;
            }
        }
    }
}

TEST_F(OfflineDeviceTest, WritingOverTheInputIsRefused) {
    load(kThrough);
    const std::string file = write("out.wav", 1, {0.5F, 0.25F});
    const auto rendered = try_render({.channels_in = 1, .input_file = file, .output = {.channels = 1}});
    ASSERT_FALSE(rendered);
    EXPECT_NE(rendered.error().sentence.find("same file"), std::string::npos) << rendered.error().sentence;
    auto reader = SoundReader::open(file);
    ASSERT_TRUE(reader) << reader.error().sentence;
    std::vector<float> samples(2);
    EXPECT_EQ(reader->read(samples), 2U);
    EXPECT_EQ(samples, (std::vector<float>{0.5F, 0.25F})) << "as it was";
}

TEST_F(OfflineDeviceTest, TheLevelsAreThoseOfTheFile) {
    // A quarter of the rate, sampled 45 degrees from its peaks: the samples reach 0.7071, the signal 1.
    load(kThrough);
    std::vector<float> input;
    for (int n = 0; n < 48'000; ++n) {
        input.push_back(static_cast<float>(std::sin(std::numbers::pi * (0.5 * n + 0.25))));
        input.push_back(0.25F * input.back());
    }
    static_cast<void>(render({.channels_in = 2,
                              .input_file = write("in.wav", 2, input),
                              .output = {.extent = {.length = 48'000U}, .groups = {{0, 1}, {1, 1}, {0, 2}}}}));
    const std::vector<ProgrammeLevels> levels = device->output().levels();
    ASSERT_EQ(levels.size(), 3U);
    for (const std::size_t group : {0U, 1U}) {
        const float factor = group == 0 ? 1.0F : 0.25F;
        ASSERT_EQ(levels[group].channels.size(), 1U);
        const ProgrammeLevels::Channel& channel = levels[group].channels.front();
        EXPECT_NEAR(channel.peak, factor * 0.70711F, 1e-5F);
        EXPECT_NEAR(channel.true_peak, factor, 0.01F * factor);
        EXPECT_NEAR(channel.sum_of_squares / 48'000.0, 0.5 * static_cast<double>(factor * factor), 1e-4);
        EXPECT_EQ(levels[group].frame_count, 48'000U);
        ASSERT_TRUE(levels[group].loudness.integrated_lufs);
        // The shelf of BS.1770 adds 4 dB at 12 kHz.
        EXPECT_NEAR(*levels[group].loudness.integrated_lufs, -0.691 - 3.01 + 4.0 + 0.04 + 20.0 * std::log10(factor),
                    0.1);
    }
    EXPECT_NEAR(*levels[2].loudness.integrated_lufs - *levels[0].loudness.integrated_lufs,
                10.0 * std::log10(1.0 + 0.0625), 0.001);
}

TEST_F(OfflineDeviceTest, TheFirstAndTheLastFrameAreMeasured) {
    for (const std::uint64_t length : {1U, 63U, 100U, 8'193U}) {
        for (const std::size_t place : {std::size_t{0}, std::size_t{length - 1}}) {
            load(kThrough);
            std::vector<float> input(length + 1'000, 0.0F);
            input[place] = 0.5F;
            input[length] = 1.0F;  // after the end of the file
            static_cast<void>(render(mono(input, {.length = length})));
            EXPECT_EQ(device->output().levels().front().channels.front().peak, 0.5F) << length << ", " << place;
            EXPECT_EQ(device->output().levels().front().frame_count, length);
        }
    }
}

TEST_F(OfflineDeviceTest, LoudnessIsThatOfTheReferenceTone) {
    // BS.1770: a sine of 997 Hz with a peak of 1 in one channel has -3.01 LUFS.
    load(R"({"nodes": [{"name": "osc", "type": "sine", "parameters": {"frequency_hz": 997, "gain_db": 0}},
                       {"name": "out", "type": "output"}], "connections": [{"from": "osc", "to": "out"}]})");
    static_cast<void>(render({.output = {.channels = 1, .extent = {.length = 480'000U}, .groups = {{0, 1}}}}));
    EXPECT_NEAR(*device->output().levels().front().loudness.integrated_lufs, -3.01, 0.02);
}

TEST(FileFormats, AreNamedByTheExtension) {
    EXPECT_EQ(format_of_file("a/b.wav"), FileFormat::wav);
    EXPECT_EQ(format_of_file("a.b.WAV"), FileFormat::wav);
    EXPECT_EQ(format_of_file("b.Flac"), FileFormat::flac);
    EXPECT_EQ(format_of_file("/dev/null"), FileFormat::wav) << "a device has no extension";
    for (const char* path : {"b.mp3", "b", "wav", ".wav", "b.wav.bak", "a.wav/b"}) {
        const auto refused = format_of_file(path);
        ASSERT_FALSE(refused) << path;
        EXPECT_NE(refused.error().sentence.find("expected a name that ends in .wav (32-bit float) or .flac (24 bits)"),
                  std::string::npos)
            << refused.error().sentence;
    }
}

}  // namespace
}  // namespace rta::io
