// SPDX-License-Identifier: MIT
#include "dsp/audio_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace rta::audio_buffer_test {
namespace {

static_assert(!std::is_copy_constructible_v<AudioBuffer> && !std::is_copy_assignable_v<AudioBuffer>);
static_assert(std::is_nothrow_move_constructible_v<AudioBuffer> && std::is_nothrow_move_assignable_v<AudioBuffer>);
static_assert(std::is_trivially_copyable_v<AudioWriteView> && std::is_trivially_copyable_v<AudioReadView>);

/// Returns a unique value for each channel and frame.
float mark(std::uint32_t channel, std::uint32_t frame) { return static_cast<float>(channel * 10'000 + frame + 1); }

void fill_with_marks(AudioWriteView view) {
    for (std::uint32_t channel = 0; channel < view.channel_count(); ++channel) {
        for (std::uint32_t frame = 0; frame < view.frame_count(); ++frame) {
            view.channel(channel)[frame] = mark(channel, frame);
        }
    }
}

void expect_marks(AudioReadView view) {
    for (std::uint32_t channel = 0; channel < view.channel_count(); ++channel) {
        for (std::uint32_t frame = 0; frame < view.frame_count(); ++frame) {
            ASSERT_EQ(view.channel(channel)[frame], mark(channel, frame)) << channel << ", " << frame;
        }
    }
}

bool all_zero(AudioReadView view) {
    for (std::uint32_t channel = 0; channel < view.channel_count(); ++channel) {
        if (!std::ranges::all_of(view.channel(channel), [](float sample) { return sample == 0.0F; })) return false;
    }
    return true;
}

class AudioBufferTest : public testing::TestWithParam<std::pair<std::uint32_t, std::uint32_t>> {
 protected:
    static std::uint32_t channels() { return GetParam().first; }
    static std::uint32_t frames() { return GetParam().second; }
};

TEST_P(AudioBufferTest, HasTheSizeAskedForAndIsSilent) {
    const AudioBuffer buffer{channels(), frames()};
    EXPECT_EQ(buffer.channel_count(), channels());
    EXPECT_EQ(buffer.frame_count(), frames());
    EXPECT_EQ(buffer.read().channel_count(), channels());
    EXPECT_EQ(buffer.read().frame_count(), frames());
    EXPECT_TRUE(all_zero(buffer.read()));
}

TEST_P(AudioBufferTest, AlignsEveryChannel) {
    AudioBuffer buffer{channels(), frames()};
    for (std::uint32_t channel = 0; channel < channels(); ++channel) {
        EXPECT_EQ(std::bit_cast<std::uintptr_t>(buffer.write().channel(channel).data()) % 64, 0U) << channel;
    }
}

TEST_P(AudioBufferTest, KeepsEverySampleApartFromTheOthers) {
    AudioBuffer buffer{channels(), frames()};
    fill_with_marks(buffer.write());
    expect_marks(buffer.read());
    expect_marks(buffer.write().read());
}

TEST_P(AudioBufferTest, ClearsToSilence) {
    AudioBuffer buffer{channels(), frames()};
    fill_with_marks(buffer.write());
    buffer.clear();
    EXPECT_TRUE(all_zero(buffer.read()));
}

TEST_P(AudioBufferTest, MovesWithoutMovingASample) {
    AudioBuffer buffer{channels(), frames()};
    fill_with_marks(buffer.write());
    const AudioReadView before = buffer.read();
    AudioBuffer constructed{std::move(buffer)};
    AudioBuffer assigned{1, 16};
    assigned = std::move(constructed);
    EXPECT_EQ(assigned.channel_count(), channels());
    EXPECT_EQ(assigned.frame_count(), frames());
    expect_marks(assigned.read());
    expect_marks(before);
    for (const AudioBuffer* empty : {&buffer, &constructed}) {  // NOLINT(bugprone-use-after-move)
        EXPECT_EQ(empty->channel_count(), 0U);
        EXPECT_EQ(empty->frame_count(), 0U);
    }
}

INSTANTIATE_TEST_SUITE_P(Sizes, AudioBufferTest,
                         testing::Values(std::pair{1U, 16U}, std::pair{2U, 64U}, std::pair{3U, 1U}, std::pair{5U, 17U},
                                         std::pair{64U, 1024U}, std::pair{0U, 64U}, std::pair{2U, 0U}),
                         [](const auto& test) {
                             return std::to_string(test.param.first) + "x" + std::to_string(test.param.second);
                         });

TEST(AudioBuffer, IsEmptyWhenNoSizeWasGiven) {
    AudioBuffer buffer;
    EXPECT_EQ(buffer.channel_count(), 0U);
    EXPECT_EQ(buffer.frame_count(), 0U);
    buffer.clear();
    EXPECT_EQ(buffer.write().channel_count(), 0U);
}

TEST(AudioView, DefaultIsEmpty) {
    EXPECT_EQ(AudioReadView{}.channel_count(), 0U);
    EXPECT_EQ(AudioReadView{}.frame_count(), 0U);
    EXPECT_EQ(AudioWriteView{}.channel_count(), 0U);
    EXPECT_EQ(AudioWriteView{}.frame_count(), 0U);
}

}  // namespace
}  // namespace rta::audio_buffer_test
