// SPDX-License-Identifier: MIT
#include "dsp/linked_level.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dsp/audio_buffer.h"

namespace rta::dsp::linked_level_test {
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

/// Returns the maximum of the last `length` values, by a search for each value.
std::vector<float> brute_force(const std::vector<float>& values, std::size_t length) {
    std::vector<float> largest;
    for (std::size_t n = 0; n < values.size(); ++n) {
        const auto first = values.begin() + static_cast<std::ptrdiff_t>(n + 1 > length ? n + 1 - length : 0);
        largest.push_back(*std::max_element(first, values.begin() + static_cast<std::ptrdiff_t>(n + 1)));
    }
    return largest;
}

/// Processes in blocks of the sizes that `next` returns.
template <class Next>
std::vector<float> in_blocks(SlidingMaximum& maximum, std::vector<float> values, std::size_t size, Next next) {
    for (std::size_t done = 0; done < values.size(); done += size, size = next(size)) {
        size = std::min(size, values.size() - done);
        maximum.process(std::span{values}.subspan(done, size));
    }
    return values;
}

TEST(SlidingMaximum, IsTheLargestOfTheLatest) {
    std::vector<std::size_t> lengths{63, 64, 65, 127, 128, 241, 1'000, 1'024, 1'999, 2'000, 2'001, 3'000, 10'561};
    for (std::size_t length = 1; length <= 50; ++length) lengths.push_back(length);
    const std::vector<float> values = noise(4'000);
    for (const std::size_t length : lengths) {
        const std::vector<float> exact = brute_force(values, length);
        SlidingMaximum maximum{static_cast<std::uint32_t>(length)};
        const auto check = [&](std::size_t size, auto next, const char* what) {
            ASSERT_EQ(in_blocks(maximum, values, size, next), exact)
                << "of " << length << ", blocks of " << size << what;
            maximum.reset();
        };
        for (const std::size_t size : {1U, 7U, 16U, 32U, 64U, 128U, 256U, 512U, 1'024U, 4'000U}) {
            check(size, [](std::size_t same) { return same; }, "");
        }
        check(1, [](std::size_t last) { return last % 97 + 16; }, " and others");
    }
}

TEST(SlidingMaximum, IsThatOfWhatRisesAndFalls) {
    // The maximum is the newest value, then the oldest, which the pass over a group must preserve.
    std::vector<float> values(3'000);
    for (std::size_t n = 0; n < values.size(); ++n) values[n] = static_cast<float>(n < 1'000 ? n : 3'000 - n);
    for (const std::size_t length : {2U, 3U, 100U, 101U, 640U, 1'500U}) {
        SlidingMaximum maximum{static_cast<std::uint32_t>(length)};
        EXPECT_EQ(in_blocks(maximum, values, 64, [](std::size_t same) { return same; }), brute_force(values, length))
            << length;
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
}  // namespace rta::dsp::linked_level_test
