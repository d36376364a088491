// SPDX-License-Identifier: MIT
#include "dsp/linked_level.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dsp/audio_buffer.h"

namespace rta::dsp {
namespace {

std::vector<float> noise(std::size_t count) {
    std::vector<float> values;
    std::uint32_t state = 1;
    for (std::size_t i = 0; i < count; ++i) {
        state = state * 1'664'525U + 1'013'904'223U;
        values.push_back(static_cast<float>(state >> 16U));
    }
    return values;
}

TEST(SlidingMaximum, IsTheLargestOfTheLatest) {
    const std::vector<float> values = noise(2'000);
    for (const std::size_t length : {1U, 2U, 3U, 16U, 241U, 3'000U}) {
        SlidingMaximum maximum{static_cast<std::uint32_t>(length)};
        for (const bool again : {false, true}) {
            std::vector<float> largest = values;
            // In blocks of changing sizes.
            for (std::size_t done = 0, size = 1; done < largest.size(); done += size, size = size % 97 + 16) {
                size = std::min(size, largest.size() - done);
                maximum.process(std::span{largest}.subspan(done, size));
            }
            for (std::size_t n = 0; n < values.size(); ++n) {
                const auto first = values.begin() + static_cast<std::ptrdiff_t>(n + 1 > length ? n + 1 - length : 0);
                const auto last = values.begin() + static_cast<std::ptrdiff_t>(n + 1);
                ASSERT_EQ(largest[n], *std::max_element(first, last))
                    << "of " << length << ", " << n << (again ? ", after reset()" : "");
            }
            maximum.reset();
        }
    }
}

TEST(LinkedLevel, IsTheLoudestChannels) {
    AudioBuffer buffer{3, 16};
    for (std::uint32_t n = 0; n < 16; ++n) {
        buffer.write().channel(0)[n] = 0.25F;
        buffer.write().channel(n % 2 == 0 ? 1 : 2)[n] = n % 4 < 2 ? -0.5F : 0.125F;
    }
    std::vector<float> level(16);
    linked_level(buffer.read(), level);
    for (std::uint32_t n = 0; n < 16; ++n) EXPECT_EQ(level[n], n % 4 < 2 ? 0.5F : 0.25F) << n;
}

}  // namespace
}  // namespace rta::dsp
