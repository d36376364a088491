// SPDX-License-Identifier: MIT
#include "dsp/gain.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace rta::dsp::gain_test {
namespace {

constexpr std::size_t kFrames = 64;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Returns values of all magnitudes and both signs.
std::array<float, kFrames> samples() {
    std::array<float, kFrames> values{};
    for (std::size_t i = 0; i < kFrames; ++i) {
        values[i] = std::ldexp(1.0F + static_cast<float>(i) / 100.0F, static_cast<int>(i) - 40) * (i % 2 == 0 ? 1 : -1);
    }
    values[7] = -0.0F;
    return values;
}

std::array<float, kFrames> factors() {
    std::array<float, kFrames> values{};
    for (std::size_t i = 0; i < kFrames; ++i) values[i] = static_cast<float>(i) / 17.0F - 1.0F;
    return values;
}

TEST(Scale, ByOneKeepsEveryBit) {
    const auto in = samples();
    std::array<float, kFrames> out{};
    scale(in, 1.0F, nullptr, out);
    for (std::size_t i = 0; i < kFrames; ++i) {
        EXPECT_EQ(std::bit_cast<std::uint32_t>(out[i]), std::bit_cast<std::uint32_t>(in[i])) << i;
    }
}

TEST(Scale, ByZeroIsSilenceWhateverComesIn) {
    auto in = samples();
    in[3] = kInfinity;
    in[4] = std::numeric_limits<float>::quiet_NaN();
    std::array<float, kFrames> out{};
    out.fill(kInfinity);
    scale(in, 0.0F, nullptr, out);
    for (const float sample : out) EXPECT_EQ(std::bit_cast<std::uint32_t>(sample), 0U);
}

TEST(Scale, MultipliesByAFactor) {
    const auto in = samples();
    std::array<float, kFrames> out{};
    scale(in, -0.3F, nullptr, out);
    for (std::size_t i = 0; i < kFrames; ++i) EXPECT_EQ(out[i], in[i] * -0.3F) << i;
}

TEST(Scale, MultipliesByARampAndDoesNotLookAtTheFactor) {
    const auto in = samples();
    const auto ramp = factors();
    std::array<float, kFrames> out{};
    scale(in, std::numeric_limits<float>::quiet_NaN(), ramp.data(), out);
    for (std::size_t i = 0; i < kFrames; ++i) EXPECT_EQ(out[i], in[i] * ramp[i]) << i;
}

TEST(Scale, WorksInPlace) {
    const auto ramp = factors();
    for (const float* gain_ramp : {static_cast<const float*>(nullptr), ramp.data()}) {
        for (const float factor : {0.0F, 0.5F, 1.0F}) {
            const auto in = samples();
            std::array<float, kFrames> elsewhere{};
            scale(in, factor, gain_ramp, elsewhere);
            auto in_place = in;
            scale(in_place, factor, gain_ramp, in_place);
            EXPECT_EQ(in_place, elsewhere) << factor;
        }
    }
}

TEST(AddScaled, AddsToWhatIsThere) {
    const auto in = samples();
    const auto ramp = factors();
    auto sum = factors();
    add_scaled(in, 0.25F, nullptr, sum);
    for (std::size_t i = 0; i < kFrames; ++i) EXPECT_EQ(sum[i], ramp[i] + in[i] * 0.25F) << i;
    sum = factors();
    add_scaled(in, std::numeric_limits<float>::quiet_NaN(), ramp.data(), sum);
    for (std::size_t i = 0; i < kFrames; ++i) EXPECT_EQ(sum[i], ramp[i] + in[i] * ramp[i]) << i;
}

TEST(AddScaled, ByOneIntoSilenceKeepsEverySample) {
    const auto in = samples();
    std::array<float, kFrames> sum{};
    add_scaled(in, 1.0F, nullptr, sum);
    EXPECT_EQ(sum, in);
}

}  // namespace
}  // namespace rta::dsp::gain_test
