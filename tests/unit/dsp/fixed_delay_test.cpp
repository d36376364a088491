// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "dsp/fixed_delay.h"

namespace rta::dsp::fixed_delay_test {
namespace {

float sample_at(std::uint32_t channel, std::int64_t frame) {
    return frame < 0 ? 0.0F : static_cast<float>(frame + 1) + 0.25F * static_cast<float>(channel);
}

TEST(FixedDelay, DelaysEveryChannelBitForBitWhateverTheBlock) {
    for (const std::uint32_t block : {16U, 64U, 1'024U}) {
        for (const std::uint32_t delay : {0U, 1U, 15U, 16U, 100U, 1'024U, 3'000U}) {
            FixedDelay line{2, delay};
            ASSERT_EQ(line.delay_frames(), delay);
            std::vector<float> samples(block);
            for (std::int64_t begin = 0; begin < 8'192; begin += block) {
                for (std::uint32_t channel = 0; channel < 2; ++channel) {
                    for (std::uint32_t i = 0; i < block; ++i) samples[i] = sample_at(channel, begin + i);
                    line.process(channel, samples, samples);
                    for (std::uint32_t i = 0; i < block; ++i) {
                        ASSERT_EQ(samples[i], sample_at(channel, begin + i - delay)) << block << ", " << delay;
                    }
                }
                line.advance(block);
            }
        }
    }
}

}  // namespace
}  // namespace rta::dsp::fixed_delay_test
