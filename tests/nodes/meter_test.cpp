// SPDX-License-Identifier: MIT
// Compares the readings of a meter with its input. conformance_test.cpp tests that it passes its input through.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include "dsp/audio_buffer.h"
#include "graph/audio_graph.h"
#include "graph/level_tap.h"
#include "graph/node_type.h"

namespace rta::test::meter_test {
namespace {

constexpr std::uint32_t kBlock = 64;
constexpr std::uint32_t kQuantum = 256;

struct Meter : testing::Test {
    explicit Meter(std::uint32_t channels = 2) : input{channels, kBlock}, output{channels, kBlock}, fed(channels) {
        auto described =
            NodeDescription::make(*builtin_nodes().find("meter"), "m", {{"channels", static_cast<double>(channels)}});
        EXPECT_TRUE(described);
        description = *described;
        auto created = description->type->create({48'000.0, kBlock, description->settings});
        EXPECT_TRUE(created);
        processor = std::move(*created);
    }
    void block() {
        for (std::uint32_t channel = 0; channel < fed.size(); ++channel) {
            for (float& sample : input.write().channel(channel)) {
                sample = uniform(random);
                fed[channel].push_back(sample);
            }
        }
        const AudioReadView in[] = {input.read()};
        const AudioWriteView out[] = {output.write()};
        ProcessContext context;
        context.inputs = in;
        context.outputs = out;
        context.frame = frame;
        context.frame_count = kBlock;
        processor->process(context);
        frame += kBlock;
        for (std::uint32_t channel = 0; channel < fed.size(); ++channel) {
            ASSERT_TRUE(std::ranges::equal(input.read().channel(channel), output.read().channel(channel)));
        }
    }
    void blocks(int count) {
        for (int i = 0; i < count; ++i) block();
    }
    /// Expects the record to match the frames that it reports. `origin` is the frame of the first sample.
    void expect_true(const LevelRecord& record, std::uint64_t origin = 0) const {
        double peak = 0;
        double sum = 0;
        for (std::uint64_t i = record.end_frame - record.frame_count; i < record.end_frame; ++i) {
            const double sample = fed[record.channel].at(i - origin);
            peak = std::max(peak, std::abs(sample));
            sum += sample * sample;
        }
        EXPECT_EQ(record.peak, static_cast<float>(peak));
        EXPECT_NEAR(record.sum_of_squares / sum, 1.0, 1e-5);
    }

    std::shared_ptr<const NodeDescription> description;
    std::unique_ptr<Processor> processor;
    AudioBuffer input;
    AudioBuffer output;
    std::vector<std::vector<float>> fed;
    std::uint64_t frame = 0;
    std::mt19937 random{9};
    std::uniform_real_distribution<float> uniform{-1.0F, 1.0F};
};

TEST_F(Meter, TellsNothingUntilItIsEnabled) {
    blocks(100);
    EXPECT_FALSE(processor->level_tap()->take());
}

TEST_F(Meter, TellsEveryQuantumOfEveryChannel) {
    LevelTap& tap = *processor->level_tap();
    tap.enable(true);
    blocks(40);
    for (std::uint64_t end = kQuantum; end <= 40 * kBlock; end += kQuantum) {
        for (std::uint16_t channel = 0; channel < 2; ++channel) {
            const auto record = tap.take();
            ASSERT_TRUE(record);
            EXPECT_EQ(record->end_frame, end);
            EXPECT_EQ(record->frame_count, kQuantum);
            EXPECT_EQ(record->channel, channel);
            EXPECT_EQ(record->channel_count, 2U);
            expect_true(*record);
        }
    }
    EXPECT_FALSE(tap.take());
}

TEST_F(Meter, WhoComesInTheMiddleOfAQuantumBeginsThere) {
    blocks(3);
    processor->level_tap()->enable(true);
    blocks(1);
    const auto record = processor->level_tap()->take();
    ASSERT_TRUE(record);
    EXPECT_EQ(record->frame_count, kBlock);
    expect_true(*record);
}

TEST_F(Meter, WhatIsToldLateIsToldWhole) {
    LevelTap& tap = *processor->level_tap();
    tap.enable(true);
    blocks(10'000);  // 13 s without a reader
    std::uint64_t end = 0;
    const auto drain = [&] {
        while (const auto record = tap.take()) {
            expect_true(*record);
            if (record->channel == 0) {
                EXPECT_EQ(record->end_frame - record->frame_count, end) << "without a gap";
                end = record->end_frame;
            }
        }
    };
    drain();
    EXPECT_GE(end, 48'000 / 4U) << "room for a quarter of a second";
    EXPECT_LT(end, frame);
    blocks(4);
    drain();
    EXPECT_EQ(end, frame) << "records without room arrive later";
}

TEST_F(Meter, AfterAPauseItBeginsAnew) {
    LevelTap& tap = *processor->level_tap();
    tap.enable(true);
    blocks(2);
    tap.enable(false);
    blocks(1);
    tap.enable(true);
    blocks(1);
    const auto record = tap.take();
    ASSERT_TRUE(record);
    EXPECT_EQ(record->frame_count, kBlock);
    expect_true(*record);
    EXPECT_TRUE(tap.take());
    EXPECT_FALSE(tap.take());
}

}  // namespace
}  // namespace rta::test::meter_test
