// SPDX-License-Identifier: MIT
#include "io/block_adapter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numbers>
#include <vector>

#include "sounding_engine.h"

namespace rta::io {
namespace {

using test::kThrough;
using test::kTone;
using test::load;
using test::noise;

constexpr std::uint32_t kRate = 48'000;

/// A device with callbacks of any length.
class ScriptedDevice {
 public:
    ScriptedDevice(std::uint32_t channels_in, std::uint32_t channels_out, std::string_view document,
                   std::uint32_t block_size = 64)
        : engine{builtin_nodes(), {.sample_rate_hz = kRate, .block_size = block_size}},
          adapter{engine.gate(), engine.renderer(), kRate, channels_in, channels_out},
          played(channels_out) {
        load(engine, document);
        adapter.grant(engine.gate().start_generation());
    }

    /// Makes one callback of `frames` frames with the next part of `input` (one vector per channel), or without input.
    void call(std::uint32_t frames, const std::vector<std::vector<float>>* input) {
        std::vector<const float*> inputs;
        for (std::uint32_t channel = 0; input != nullptr && channel < adapter.channels_in(); ++channel) {
            inputs.push_back((*input)[channel].data() + position);
        }
        std::vector<float*> outputs;
        for (auto& channel : played) {
            // A device does not clear its buffers.
            channel.resize(position + frames, std::numeric_limits<float>::quiet_NaN());
            outputs.push_back(channel.data() + position);
        }
        adapter.process(input == nullptr ? nullptr : inputs.data(), outputs.data(), frames);
        position += frames;
    }
    void call_all(const std::vector<std::uint32_t>& callbacks, const std::vector<std::vector<float>>* input) {
        for (const std::uint32_t frames : callbacks) call(frames, input);
    }

    Engine engine;
    BlockAdapter adapter;
    std::vector<std::vector<float>> played;
    std::size_t position = 0;
};

/// Compares bits, not values: -0 is not equal to 0.
[[nodiscard]] ::testing::AssertionResult same_bits(const std::vector<float>& played, std::size_t played_from,
                                                   const std::vector<float>& expected, std::size_t expected_from,
                                                   std::size_t frames) {
    for (std::size_t frame = 0; frame < frames; ++frame) {
        const float& left = played.at(played_from + frame);
        const float& right = expected.at(expected_from + frame);
        if (std::memcmp(&left, &right, sizeof(float)) != 0) {
            return ::testing::AssertionFailure()
                   << "frame " << played_from + frame << " is " << left << ", not " << right;
        }
    }
    return ::testing::AssertionSuccess();
}

/// Returns the output of the graph if every callback is one block.
[[nodiscard]] std::vector<float> reference_tone(std::size_t frames) {
    ScriptedDevice device{0, 1, kTone};
    while (device.position < frames) device.call(64, nullptr);
    return device.played.front();
}

[[nodiscard]] double largest_second_difference(const std::vector<float>& samples, std::size_t begin, std::size_t end) {
    double largest = 0;
    for (std::size_t i = begin; i + 2 < end; ++i) {
        const double second = static_cast<double>(samples[i]) - 2.0 * static_cast<double>(samples[i + 1]) +
                              static_cast<double>(samples[i + 2]);
        largest = std::max(largest, std::abs(second));
    }
    return largest;
}

TEST(BlockAdapter, MultiplesOfTheBlockAreNotDelayed) {
    const auto input = noise(2, 4096);
    ScriptedDevice device{2, 2, kThrough};
    device.call_all({512, 64, 128, 1024, 0, 64}, &input);
    EXPECT_EQ(device.adapter.latency_frames(), 0U);
    for (std::size_t channel = 0; channel < 2; ++channel) {
        EXPECT_TRUE(same_bits(device.played[channel], 0, input[channel], 0, device.position));
    }
    EXPECT_EQ(device.engine.renderer().frames(), device.position);
}

TEST(BlockAdapter, AnOddFirstCallbackDelaysByOneBlockAndLosesNothing) {
    for (const std::uint32_t block_size : {16U, 64U, 1024U}) {
        const auto input = noise(2, 16'384);
        ScriptedDevice device{2, 2, kThrough, block_size};
        device.call_all({1, 63, 64, 7, 377, 512, 2049, 5, 1, 1024, 333}, &input);
        EXPECT_EQ(device.adapter.latency_frames(), block_size);
        for (std::size_t channel = 0; channel < 2; ++channel) {
            EXPECT_TRUE(std::ranges::all_of(device.played[channel].begin(), device.played[channel].begin() + block_size,
                                            [](float sample) { return sample == 0.0F; }));
            EXPECT_TRUE(same_bits(device.played[channel], block_size, input[channel], 0, device.position - block_size));
        }
    }
}

TEST(BlockAdapter, SwitchesAtTheFirstOddCallbackOnly) {
    const auto input = noise(2, 16'384);
    ScriptedDevice device{2, 2, kThrough};
    device.call(512, &input);
    EXPECT_EQ(device.adapter.latency_frames(), 0U);
    device.call_all({1, 63, 64, 7, 377, 512, 1, 63, 64, 7, 377, 512, 4096}, &input);
    EXPECT_EQ(device.adapter.latency_frames(), 64U);
    const std::size_t settled = 512 + 64 + device.adapter.fade_frames();
    ASSERT_LT(settled, device.position);
    for (std::size_t channel = 0; channel < 2; ++channel) {
        EXPECT_TRUE(same_bits(device.played[channel], 0, input[channel], 0, 512));
        EXPECT_TRUE(
            same_bits(device.played[channel], settled, input[channel], settled - 64, device.position - settled));
        EXPECT_TRUE(std::ranges::all_of(device.played[channel], [](float sample) { return std::isfinite(sample); }));
    }
}

TEST(BlockAdapter, WhatIsHeardDoesNotDependOnHowTheDeviceCutsTime) {
    const std::vector<float> reference = reference_tone(8192);
    for (const std::uint32_t frames : {512U, 1U, 63U, 64U, 7U, 377U}) {
        ScriptedDevice device{0, 1, kTone};
        while (device.position < 4096) device.call(frames, nullptr);
        const std::uint32_t latency = device.adapter.latency_frames();
        EXPECT_EQ(latency, frames % 64 == 0 ? 0U : 64U);
        EXPECT_TRUE(same_bits(device.played.front(), latency, reference, 0, device.position - latency)) << frames;
    }
}

TEST(BlockAdapter, TheSwitchMakesNoClick) {
    // 440 Hz at half of full scale, as in kTone. `own` is its second difference.
    const double amplitude = std::pow(10.0, -6.0 / 20.0);
    const double angle = 2.0 * std::numbers::pi * 440.0 / kRate;
    const double own = amplitude * angle * angle;
    // The second difference of the continuation is at most four times that of the tone, that of the following signal
    // once. The fades (256 frames, slope at most 1.5/256, second difference 6/256^2) add twice their slope times that
    // of the tone, and their second difference times its amplitude.
    const double fades = 2.0 * (2.0 * 1.5 / 256.0 * amplitude * angle + 6.0 / (256.0 * 256.0) * amplitude);
    const double bound = 6.0 * own + fades;
    // An abrupt cut would be a step of the height of the signal there.
    ASSERT_LT(bound, amplitude / 10.0);

    for (std::uint32_t blocks = 8; blocks < 72; ++blocks) {  // about every phase of the tone
        ScriptedDevice device{0, 1, kTone};
        for (std::uint32_t block = 0; block < blocks; ++block) device.call(64, nullptr);
        for (int i = 0; i < 40; ++i) device.call(100, nullptr);
        ASSERT_EQ(device.adapter.latency_frames(), 64U);
        ASSERT_EQ(device.adapter.fade_frames(), 256U);
        EXPECT_LT(largest_second_difference(device.played.front(), 0, device.position), bound) << blocks;
        const auto [low, high] = std::ranges::minmax(device.played.front());
        EXPECT_LE(std::max(-low, high), 2.0 * amplitude) << blocks;  // at most two tones that overlap
    }
}

TEST(BlockAdapter, InputOnlyFeedsTheEngineEveryFrame) {
    const auto input = noise(2, 8192);
    ScriptedDevice device{2, 0, kThrough};
    device.call_all({1, 63, 64, 7, 377, 512}, &input);
    EXPECT_EQ(device.engine.renderer().frames(), device.position / 64 * 64);
    EXPECT_EQ(device.adapter.frames(), device.position);
    EXPECT_EQ(device.adapter.callbacks(), 6U);
    EXPECT_EQ(device.adapter.callback_frames(), 512U);
}

TEST(BlockAdapter, NoInputBufferIsSilence) {
    for (const std::uint32_t frames : {64U, 100U}) {
        ScriptedDevice device{2, 2, kThrough};
        for (int i = 0; i < 10; ++i) device.call(frames, nullptr);
        EXPECT_TRUE(std::ranges::all_of(device.played[1], [](float sample) { return sample == 0.0F; }));
    }
}

TEST(BlockAdapter, WithoutAGrantItIsSilentAndTouchesNothing) {
    Engine engine{builtin_nodes(), {.sample_rate_hz = kRate, .block_size = 64}};
    load(engine, kTone);
    BlockAdapter adapter{engine.gate(), engine.renderer(), kRate, 0, 1};
    std::vector<float> played(100, 1.0F);
    float* const outputs[] = {played.data()};
    adapter.process(nullptr, outputs, 100);
    EXPECT_TRUE(std::ranges::all_of(played, [](float sample) { return sample == 0.0F; }));
    EXPECT_EQ(engine.renderer().frames(), 0U);
    EXPECT_EQ(adapter.frames(), 100U);
}

TEST(BlockAdapter, ARevokedRecordingIsSilentAndItsSuccessorGoesOn) {
    const std::vector<float> reference = reference_tone(1024);
    ScriptedDevice device{0, 1, kTone};
    device.call(256, nullptr);
    BlockAdapter successor{device.engine.gate(), device.engine.renderer(), kRate, 0, 1};
    successor.grant(device.engine.gate().start_generation());

    device.call(512, nullptr);
    EXPECT_TRUE(std::all_of(device.played.front().begin() + 256, device.played.front().end(),
                            [](float sample) { return sample == 0.0F; }));
    EXPECT_EQ(device.engine.renderer().frames(), 256U);

    std::vector<float> played(256);
    float* const outputs[] = {played.data()};
    successor.process(nullptr, outputs, 256);
    EXPECT_TRUE(same_bits(played, 0, reference, 256, 256));
}

TEST(BlockAdapter, TheEndOfARevokedDeviceMakesNoClick) {
    // As in TheSwitchMakesNoClick, without the signal that follows.
    const double amplitude = std::pow(10.0, -6.0 / 20.0);
    const double angle = 2.0 * std::numbers::pi * 440.0 / kRate;
    const double bound =
        6.0 * amplitude * angle * angle + 2.0 * (2.0 * 1.5 / 256.0 * amplitude * angle + 6.0 / 65'536.0 * amplitude);
    for (const std::uint32_t frames : {64U, 100U, 1'024U}) {
        for (std::uint32_t calls = 20; calls < 60; ++calls) {  // about every phase of the tone
            ScriptedDevice device{0, 1, kTone};
            device.adapter.grant(device.engine.gate().start_generation(), BlockAdapter::Entrance::faded_in);
            for (std::uint32_t i = 0; i < calls; ++i) device.call(frames, nullptr);
            device.engine.gate().start_generation();
            while (device.position < (calls + 1) * frames + 1'000) device.call(frames, nullptr);
            EXPECT_LT(largest_second_difference(device.played.front(), 1'024, device.position), bound) << calls;
            EXPECT_EQ(device.played.front().back(), 0.0F);
        }
    }
}

TEST(BlockAdapter, ADeviceThatIsRevokedInSilenceStaysSilent) {
    for (const std::uint32_t frames : {64U, 100U}) {
        ScriptedDevice device{0, 1, kTone};
        device.adapter.grant(device.engine.gate().start_generation(), BlockAdapter::Entrance::faded_in);
        for (int i = 0; i < 40; ++i) device.call(frames, nullptr);
        device.adapter.fade_out();
        while (!device.adapter.silent()) device.call(frames, nullptr);
        const std::size_t revoked = device.position;
        device.engine.gate().start_generation();
        for (int i = 0; i < 10; ++i) device.call(frames, nullptr);
        EXPECT_TRUE(std::all_of(device.played.front().begin() + static_cast<std::ptrdiff_t>(revoked),
                                device.played.front().end(), [](float sample) { return sample == 0.0F; }));
    }
}

TEST(BlockAdapter, DenormalsCountAsZeroInTheCallbackOnly) {
    constexpr std::string_view kHalf = R"({
        "nodes": [{"name": "in", "type": "input"}, {"name": "vol", "type": "gain", "parameters": {"gain_db": -6}},
                  {"name": "out", "type": "output"}],
        "connections": [{"from": "in", "to": "vol"}, {"from": "vol", "to": "out"}]})";
    constexpr float kDenormal = 1e-39F;
    const std::vector<std::vector<float>> input{std::vector<float>(64, kDenormal)};
    ScriptedDevice device{1, 1, kHalf};
    device.call(64, &input);
    EXPECT_TRUE(std::ranges::all_of(device.played.front(), [](float sample) { return sample == 0.0F; }));
    volatile float outside = kDenormal;
    outside = outside * 0.5F;
    EXPECT_NE(outside, 0.0F);
}

TEST(BlockAdapter, KnowsTheThreadThatCalls) {
    ScriptedDevice device{0, 1, kTone};
    EXPECT_EQ(device.adapter.thread_id(), 0);
    device.call(64, nullptr);
    EXPECT_EQ(device.adapter.thread_id(), gettid());
}

}  // namespace
}  // namespace rta::io
