// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "dsp/direct_form.h"
#include "nodes/filter_reference.h"

namespace rta::test::biquad_test {
namespace {

using namespace test;

constexpr std::array kNames{"b0", "b1", "b2", "a1", "a2"};
using Coefficients = std::array<float, 5>;

const NodeType& type() { return *builtin_nodes().find("biquad"); }

NodeBench biquad(const Coefficients& values, const NodeBench::Signal& signal = impulse, double channels = 1.0,
                 std::uint32_t block_size = 64) {
    NodeBench::Options options;
    options.signal = signal;
    options.block_size = block_size;
    for (std::size_t i = 0; i < kNames.size(); ++i) options.parameters[kNames[i]] = values[i];
    return NodeBench{type(), {{"channels", channels}}, options};
}

void set(NodeBench& bench, const Coefficients& values) {
    for (std::size_t i = 0; i < kNames.size(); ++i) bench.set(kNames[i], values[i], 0);
}

CookbookForm form_of(const Coefficients& c) { return {c[0], c[1], c[2], 1.0, c[3], c[4]}; }

Coefficients rounded(const CookbookForm& form) {
    return {static_cast<float>(form.b0 / form.a0), static_cast<float>(form.b1 / form.a0),
            static_cast<float>(form.b2 / form.a0), static_cast<float>(form.a1 / form.a0),
            static_cast<float>(form.a2 / form.a0)};
}

Coefficients cookbook(const char* kind, double hz, double q, double gain_db) {
    return rounded(cookbook_form({kind, hz, alpha_of_q(hz, q), gain_db}));
}

/// A point in the triangle of stability, `margin` from its edges.
Coefficients random_stable(Dice& dice, double margin) {
    Coefficients c{};
    for (std::size_t i = 0; i < 3; ++i) c[i] = static_cast<float>(dice.between(-2.0, 2.0));
    c[4] = static_cast<float>(dice.between(-1.0 + margin, 1.0 - margin));
    c[3] = static_cast<float>(dice.between(-1.0, 1.0) * (1.0 + static_cast<double>(c[4]) - margin / 2.0));
    return c;
}

TEST(BiquadNode, HasTheTransferFunctionOfItsCoefficients) {
    for_each_target([](std::string_view target) {
        Dice dice{3};
        for (int i = 0; i < 60; ++i) {
            const Coefficients c = random_stable(dice, 0.002);
            const auto response = biquad(c).render_channel(ringing_frames(form_of(c)));
            const auto settings = ResolvedSettings::resolve(type().settings, {}, "test");
            for (const double at_hz : frequencies(20.0, 23'900.0, 20)) {
                const Complex expected = response_of(form_of(c), at_hz, 48'000.0);
                const Complex told = told_response(type(), *settings, {c[0], c[1], c[2], c[3], c[4]}, at_hz);
                ASSERT_LT(std::abs(told - expected), 1e-4 * std::abs(expected) + 1e-5) << i;
                if (std::abs(expected) < 1e-3) continue;
                ASSERT_NEAR(db(std::abs(transform(response, at_hz, 48'000.0) / expected)), 0.0, 0.01)
                    << target << ", set " << i << " at " << at_hz << " Hz";
            }
        }
    });
}

/// Coefficients as published: of a peak, a shelf, a resonant low-pass, an all-pass of first order, poles near 1 and -1.
TEST(BiquadNode, TakesPublishedCoefficients) {
    for (const Coefficients& c :
         {cookbook("peaking", 1'000.0, 2.0, 12.0), cookbook("low_shelf", 200.0, 0.7, -9.0),
          cookbook("lowpass", 8'000.0, 20.0, 0.0), cookbook("allpass_1", 3'000.0, 1.0, 0.0),
          Coefficients{1.0F, -1.0F, 0.0F, -0.9999F, 0.0F}, Coefficients{0.5F, 0.0F, 0.0F, 0.9999F, 0.0F},
          Coefficients{1.0F, 2.0F, 1.0F, -1.9F, 0.9025F}, Coefficients{0.25F, 0.5F, 0.25F, 0.0F, 0.0F}}) {
        const auto response = biquad(c).render_channel(ringing_frames(form_of(c)));
        for (const double at_hz : frequencies(20.0, 23'000.0, 30)) {
            const Complex expected = response_of(form_of(c), at_hz, 48'000.0);
            EXPECT_NEAR(db(std::abs(transform(response, at_hz, 48'000.0) / expected)), 0.0, 0.01)
                << c[3] << " " << c[4] << " at " << at_hz << " Hz";
        }
    }
}

TEST(BiquadNode, RefusesUnstableSets) {
    const auto description = NodeDescription::make(type(), "f", {}).value();
    const auto check = [&](float a1, float a2) { return description->parameter_values({{"a1", a1}, {"a2", a2}}); };
    const float below_1 = std::nextafter(1.0F, 0.0F);
    for (const auto& [a1, a2] : {std::pair{0.0F, below_1}, std::pair{0.0F, -below_1}, std::pair{below_1, 0.0F},
                                 std::pair{-1.99F, 0.995F}, std::pair{1.5F, 0.75F}, std::pair{0.0F, 0.0F}}) {
        EXPECT_TRUE(check(a1, a2)) << a1 << " " << a2;
    }
    for (const auto& [a1, a2] : {std::pair{0.0F, 1.0F}, std::pair{0.0F, -1.0F}, std::pair{1.0F, 0.0F},
                                 std::pair{-2.0F, 1.0F}, std::pair{-1.5F, 0.5F}, std::pair{1.5F, 0.4F}}) {
        const auto refused = check(a1, a2);
        ASSERT_FALSE(refused) << a1 << " " << a2;
        EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
        for (const char* const word : {"node \"f\"", "unstable", "|a2| < 1 and |a1| < 1 + a2"})
            EXPECT_NE(refused.error().sentence.find(word), std::string::npos) << refused.error().sentence;
    }
}

/// Every point of the line between two stable sets is stable: each block of a change equals a reference in double that
/// is given by the coefficients of each frame.
TEST(BiquadNode, MovesAllCoefficientsAlongALine) {
    const Coefficients from = cookbook("lowpass", 500.0, 5.0, 0.0);
    const Coefficients to = cookbook("highpass", 6'000.0, 0.7, 0.0);
    NodeBench bench = biquad(from, white_noise);
    bench.pass(4'096);
    const std::uint64_t first = bench.frame();
    set(bench, to);
    const auto moving = bench.render_channel(960);
    // The same section, frame by frame, settled by the same noise.
    double s1 = 0.0;
    double s2 = 0.0;
    for (std::uint64_t frame = 0; frame < first + 960; ++frame) {
        const double way = frame < first ? 0.0 : static_cast<double>(frame - first + 1) / 960.0;
        const double part = way * way * (3.0 - 2.0 * way);
        const auto at = [&](std::size_t i) {
            return static_cast<double>(from[i]) + part * (static_cast<double>(to[i]) - static_cast<double>(from[i]));
        };
        ASSERT_LT(std::fabs(at(3)), 1.0 + at(4));
        const dsp::SectionDesign d = dsp::section_of({at(0), at(1), at(2), at(3), at(4)});
        const double x = white_noise(0, 0, frame);
        const double v1 = s1 + d.a2 * (x - s2 - d.k * s1) - d.a3 * s1;
        const double v2 = s2 + d.a2 * s1 + d.a3 * (x - s2);
        s1 = 2.0 * v1 - s1;
        s2 = 2.0 * v2 - s2;
        if (frame < first) continue;
        ASSERT_NEAR(moving[frame - first], d.m0 * x + d.m1 * v1 + d.m2 * v2, 2e-5) << frame - first;
    }
    // Then it is the target, exactly where it rests.
    const auto settled = bench.render_channel(8'192);
    NodeBench rested = biquad(to, white_noise);
    rested.pass(first + 960);
    const auto reference = rested.render_channel(8'192);
    for (std::size_t n = 4'096; n < settled.size(); ++n) ASSERT_NEAR(settled[n], reference[n], 1e-5);
}

/// Single values may arrive in different blocks. While the set is unstable, the filter stays where it was.
TEST(BiquadNode, WaitsForACompleteSet) {
    const Coefficients from{1.0F, 0.0F, 0.0F, -1.8F, 0.9F};
    const Coefficients to{1.0F, 0.0F, 0.0F, 0.5F, -0.4F};  // a1 = -1.8 with a2 = -0.4 is unstable
    NodeBench bench = biquad(from, white_noise);
    NodeBench unchanged = biquad(from, white_noise);
    bench.pass(64);
    unchanged.pass(64);
    bench.set("a2", to[4], 0);
    EXPECT_EQ(bench.render_channel(1'024), unchanged.render_channel(1'024));
    bench.set("a1", to[3], 0);
    bench.pass(4'096);
    NodeBench rested = biquad(to, white_noise);
    rested.pass(64 + 5'120);
    const auto settled = bench.render_channel(1'024);
    const auto reference = rested.render_channel(1'024);
    for (std::size_t n = 0; n < settled.size(); ++n) ASSERT_NEAR(settled[n], reference[n], 1e-5);
}

/// A change on a tone leaves no step: the second difference stays that of a ramp over 960 frames.
TEST(BiquadNode, ChangesWithoutAClick) {
    Dice dice{7};
    for (int i = 0; i < 40; ++i) {
        const Coefficients from = random_stable(dice, 0.1);
        const Coefficients to = random_stable(dice, 0.1);
        NodeBench bench = biquad(from, sine_of(100.0));
        bench.pass(4'800);
        auto samples = bench.render_channel(64);
        set(bench, to);
        const auto more = bench.render_channel(4'800);
        samples.insert(samples.end(), more.begin(), more.end());
        double largest_gain = 0.0;  // on the line
        for (int part = 0; part <= 50; ++part) {
            Coefficients c{};
            for (std::size_t k = 0; k < c.size(); ++k)
                c[k] = from[k] + (to[k] - from[k]) * static_cast<float>(part) / 50.0F;
            largest_gain = std::max(largest_gain, std::abs(response_of(form_of(c), 100.0, 48'000.0)));
        }
        double bend = 0.0;
        for (std::size_t n = 1; n + 1 < samples.size(); ++n)
            bend = std::max(bend, static_cast<double>(std::fabs(samples[n - 1] - 2.0F * samples[n] + samples[n + 1])));
        // Of a step of that gain: kToneLevel * largest_gain. Of a ramp: its 960th part, and the curvature of the tone.
        EXPECT_LT(bend, kToneLevel * (largest_gain + 1.0) * (8.0 / 960.0)) << i;
    }
}

TEST(BiquadNode, StaysBoundedWhateverItsCoefficientsJumpTo) {
    Dice dice{5};
    NodeBench bench = biquad({1.0F, 0.0F, 0.0F, 0.0F, 0.0F}, white_noise, 2.0, 16);
    float largest = 0.0F;
    for (int block = 0; block < 20'000; ++block) {
        if (dice.between(0.0, 1.0) < 0.2) set(bench, random_stable(dice, dice.between(0.0, 1.0) < 0.5 ? 1e-6 : 0.1));
        bench.render_block();
        for (const float sample : bench.output().channel(1)) {
            ASSERT_TRUE(std::isfinite(sample)) << block;
            largest = std::max(largest, std::fabs(sample));
        }
    }
    EXPECT_LT(largest, 1e6F);
    bench.feed({});
    set(bench, {1.0F, 0.0F, 0.0F, 0.0F, 0.0F});
    bench.pass(48'000);
    for (const float sample : bench.output().channel(1)) EXPECT_EQ(sample, 0.0F);
}

}  // namespace
}  // namespace rta::test::biquad_test
