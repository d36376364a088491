// SPDX-License-Identifier: MIT
// Tests every kernel on every SIMD target that the CPU supports: compares with double precision and with the other
// targets, and checks that kernels write no sample outside their output.
#include "dsp/kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "dsp/finite.h"
#include "dsp/gain.h"
#include "dsp/math.h"
#include "dsp/simd.h"

namespace rta::dsp::kernels_test {
namespace {

constexpr std::array<std::size_t, 6> kBlocks{16, 32, 48, 64, 80, 1'024};
constexpr float kUntouched = 12'345.0F;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Block between two guards that kernels must not overwrite, at an unaligned address: kernels require no alignment.
class Guarded {
 public:
    explicit Guarded(std::size_t frames) : samples_(frames + 2 * kGuard, kUntouched) {}
    Guarded(std::size_t frames, std::mt19937& random) : Guarded{frames} {
        std::uniform_real_distribution<float> sample{-1.0F, 1.0F};
        for (float& value : span()) value = sample(random);
    }

    [[nodiscard]] std::span<float> span() { return std::span{samples_}.subspan(kGuard, samples_.size() - 2 * kGuard); }
    [[nodiscard]] float* data() { return span().data(); }
    [[nodiscard]] float operator[](std::size_t frame) const { return samples_[kGuard + frame]; }
    [[nodiscard]] bool guards_stand() const {
        const auto untouched = [](float value) { return value == kUntouched; };
        return std::all_of(samples_.begin(), samples_.begin() + kGuard, untouched) &&
               std::all_of(samples_.end() - kGuard, samples_.end(), untouched);
    }
    [[nodiscard]] std::vector<std::uint32_t> bits() {
        std::vector<std::uint32_t> bits;
        for (const float value : span()) bits.push_back(std::bit_cast<std::uint32_t>(value));
        return bits;
    }

 private:
    static constexpr std::ptrdiff_t kGuard = 17;
    std::vector<float> samples_;
};

/// A product of floats is exact in double; rounded once, it equals a single float multiplication.
float product(float a, float b) { return static_cast<float>(static_cast<double>(a) * static_cast<double>(b)); }

class KernelTest : public testing::TestWithParam<std::string_view> {
 protected:
    KernelTest() { EXPECT_TRUE(use_simd_target(GetParam())); }
    ~KernelTest() override { EXPECT_TRUE(use_simd_target(simd_targets().front())); }

    std::mt19937 random_{11};
};

TEST_P(KernelTest, IsTheTargetThatWasAskedFor) {
    EXPECT_EQ(simd_target(), GetParam());
    EXPECT_EQ(std::string_view{kernels().target}, GetParam());
}

TEST_P(KernelTest, FillAndScaleGiveExactProducts) {
    for (const std::size_t frames : kBlocks) {
        Guarded in{frames, random_};
        Guarded factors{frames, random_};
        Guarded filled{frames};
        Guarded scaled{frames};
        Guarded ramped{frames};
        kernels().fill(0.3F, filled.data(), frames);
        kernels().scale(in.data(), -0.7F, scaled.data(), frames);
        kernels().scale_ramped(in.data(), factors.data(), ramped.data(), frames);
        for (std::size_t frame = 0; frame < frames; ++frame) {
            ASSERT_EQ(filled[frame], 0.3F) << frame;
            ASSERT_EQ(scaled[frame], product(in[frame], -0.7F)) << frame;
            ASSERT_EQ(ramped[frame], product(in[frame], factors[frame])) << frame;
        }
        EXPECT_TRUE(filled.guards_stand() && scaled.guards_stand() && ramped.guards_stand()) << frames;
    }
}

TEST_P(KernelTest, SumsAreRoundedOnceForTheProductAndOnceForTheSum) {
    for (const std::size_t frames : kBlocks) {
        Guarded in{frames, random_};
        Guarded factors{frames, random_};
        Guarded before{frames, random_};
        Guarded added = before;
        Guarded ramped = before;
        kernels().add_scaled(in.data(), 0.37F, added.data(), frames);
        kernels().add_scaled_ramped(in.data(), factors.data(), ramped.data(), frames);
        for (std::size_t frame = 0; frame < frames; ++frame) {
            ASSERT_EQ(added[frame], before[frame] + product(in[frame], 0.37F)) << frame;
            ASSERT_EQ(ramped[frame], before[frame] + product(in[frame], factors[frame])) << frame;
        }
        EXPECT_TRUE(added.guards_stand() && ramped.guards_stand()) << frames;
    }
}

TEST_P(KernelTest, RampsHaveTheBitsOfTheFormulaForOneFrame) {
    constexpr float kStart = 440.0F;
    for (const double elapsed : {0.0, 1.0, 28'799'999.0, 0x1p40}) {
        const double step = 7.0 / (elapsed + 1'000.0);
        for (const std::size_t frames : kBlocks) {
            Guarded linear{frames};
            Guarded logarithmic{frames};
            kernels().linear_ramp(kStart, step, elapsed, linear.data(), frames);
            kernels().logarithmic_ramp(kStart, -step, elapsed, logarithmic.data(), frames);
            for (std::size_t frame = 0; frame < frames; ++frame) {
                const double at = elapsed + static_cast<double>(frame);
                ASSERT_EQ(linear[frame], static_cast<float>(static_cast<double>(kStart) + step * at)) << frame;
                ASSERT_EQ(logarithmic[frame], static_cast<float>(static_cast<double>(kStart) * exp2(-step * at)))
                    << frame;
            }
            EXPECT_TRUE(linear.guards_stand() && logarithmic.guards_stand()) << frames;
        }
    }
}

TEST_P(KernelTest, ManyInputsAreSummedFromLeftToRight) {
    for (const std::size_t frames : kBlocks) {
        for (const std::size_t count : {1U, 2U, 7U, 15U, 16U, 17U, 32U, 33U, 200U}) {
            std::vector<Guarded> ins;
            std::vector<const float*> pointers;
            std::vector<float> factors;
            for (std::size_t i = 0; i < count; ++i) ins.emplace_back(frames, random_);
            for (Guarded& in : ins) pointers.push_back(in.data());
            for (std::size_t i = 0; i < count; ++i) factors.push_back(static_cast<float>(i % 9) / 5.0F - 0.7F);
            Guarded sum{frames};
            sum_scaled(pointers, factors, sum.span());
            for (std::size_t frame = 0; frame < frames; ++frame) {
                float expected = product(ins[0][frame], factors[0]);
                for (std::size_t i = 1; i < count; ++i) expected += product(ins[i][frame], factors[i]);
                ASSERT_EQ(sum[frame], expected) << count << " inputs, frame " << frame << " of " << frames;
            }
            EXPECT_TRUE(sum.guards_stand()) << count << " inputs, " << frames << " frames";
        }
    }
}

TEST_P(KernelTest, TheFirFilterIsThatOfMathematics) {
    for (const std::size_t frames : kBlocks) {
        for (const std::size_t count : {1U, 2U, 17U, 64U}) {
            Guarded in{frames + count - 1, random_};
            Guarded factors{count, random_};
            Guarded out{frames};
            kernels().fir(in.data(), factors.data(), count, out.data(), frames);
            for (std::size_t frame = 0; frame < frames; ++frame) {
                double exact = 0.0;
                for (std::size_t k = 0; k < count; ++k) {
                    exact += static_cast<double>(in[frame + k]) * static_cast<double>(factors[k]);
                }
                // Two rounding errors per product, of sums below the number of products.
                ASSERT_NEAR(out[frame], exact, static_cast<double>(count * count) * 0x1p-23)
                    << count << " factors, frame " << frame << " of " << frames;
            }
            EXPECT_TRUE(out.guards_stand()) << count << " factors, " << frames << " frames";
        }
    }
}

TEST_P(KernelTest, FeedbackIsRoundedOnceForEachProductAndSum) {
    constexpr float kMix = 0.3F;
    for (const std::size_t frames : kBlocks) {
        Guarded in{frames, random_};
        Guarded wet{frames, random_};
        in.span()[3] = wet.span()[3] = 1e-31F;
        Guarded line{frames};
        Guarded out = in;  // in place
        kernels().feed_back(out.data(), wet.data(), -0.9F, kMix, line.data(), out.data(), frames);
        for (std::size_t frame = 0; frame < frames; ++frame) {
            ASSERT_EQ(line[frame], flushed(in[frame] + product(wet[frame], -0.9F))) << frame;
            ASSERT_EQ(out[frame], product(in[frame], 1.0F - kMix) + product(wet[frame], kMix)) << frame;
        }
        EXPECT_EQ(line[3], 0.0F);
        EXPECT_TRUE(line.guards_stand() && out.guards_stand()) << frames;
    }
}

/// sin(2 pi phase / 2^64)
double sine_of(std::uint64_t phase) {
    const double turns = static_cast<double>(static_cast<std::int64_t>(phase)) * 0x1p-64;
    return std::sin(2.0 * std::numbers::pi * turns);
}

TEST_P(KernelTest, TheSineIsThatOfMathematics) {
    std::uniform_int_distribution<std::uint64_t> any;
    for (int round = 0; round < 200; ++round) {
        const std::size_t frames = kBlocks[static_cast<std::size_t>(round) % kBlocks.size()];
        const std::uint64_t phase = any(random_);
        // Up to half the sample rate, and also less than 2^32, where only the carry moves the upper half.
        const std::uint64_t increment = round % 3 == 0 ? any(random_) >> 40U : any(random_) >> 1U;
        Guarded sine{frames};
        Guarded of_phases{frames};
        Guarded factors{frames};
        std::vector<std::uint32_t> phases(frames);
        kernels().fill(0.5F, factors.data(), frames);
        for (std::size_t frame = 0; frame < frames; ++frame)
            phases[frame] = static_cast<std::uint32_t>((phase + increment * frame) >> 32U);
        kernels().sine(phase, increment, 0.5F, sine.data(), frames);
        kernels().sine_of_phases(phases.data(), factors.data(), of_phases.data(), frames);
        for (std::size_t frame = 0; frame < frames; ++frame) {
            // Error of sine_of_phase(), plus truncation of the phase to 2^-32 cycles.
            constexpr double kTolerance = 0.5 * (2.5e-7 + 2.0 * std::numbers::pi * 0x1p-32);
            ASSERT_NEAR(sine[frame], 0.5 * sine_of(phase + increment * frame), kTolerance) << frame;
            // Targets with fused multiply-add round differently.
            ASSERT_NEAR(sine[frame], 0.5F * sine_of_phase(phases[frame]), 1.2e-7F) << frame;
        }
        EXPECT_EQ(sine.bits(), of_phases.bits()) << "both kernels produce the same bits";
        EXPECT_TRUE(sine.guards_stand() && of_phases.guards_stand()) << frames;
    }
}

TEST_P(KernelTest, TheSineDoesNotDependOnTheBlock) {
    constexpr std::uint64_t kIncrement = 0x0123'4567'89AB'CDEF;
    constexpr std::size_t kFrames = 1'024;
    Guarded whole{kFrames};
    kernels().sine(99, kIncrement, 0.9F, whole.data(), kFrames);
    for (const std::size_t block : {16U, 32U, 64U, 128U}) {
        Guarded cut{kFrames};
        for (std::size_t frame = 0; frame < kFrames; frame += block)
            kernels().sine(99 + kIncrement * frame, kIncrement, 0.9F, cut.data() + frame, block);
        EXPECT_EQ(cut.bits(), whole.bits()) << block;
    }
}

TEST_P(KernelTest, FindsASingleSampleThatIsNoNumberAndMakesItZero) {
    constexpr float kSmallest = std::numeric_limits<float>::denorm_min();
    for (const std::size_t frames : kBlocks) {
        Guarded good{frames, random_};
        good.span()[0] = std::numeric_limits<float>::max();
        good.span()[1] = -std::numeric_limits<float>::max();
        good.span()[2] = kSmallest;
        good.span()[3] = -0.0F;
        Guarded out{frames};
        finite_or_zero(good.span(), out.span());
        EXPECT_EQ(out.bits(), good.bits());
        EXPECT_TRUE(all_finite(good.span()));
        for (std::size_t frame = 0; frame < frames; ++frame) {
            for (const float bad : {kNan, -kNan, kInfinity, -kInfinity}) {
                Guarded in = good;
                in.span()[frame] = bad;
                ASSERT_FALSE(all_finite(in.span())) << bad << " in frame " << frame << " of " << frames;
                finite_or_zero(in.span(), out.span());
                Guarded expected = good;
                expected.span()[frame] = 0.0F;
                ASSERT_EQ(out.bits(), expected.bits()) << bad << " in frame " << frame << " of " << frames;
            }
        }
        EXPECT_TRUE(out.guards_stand());
    }
}

/// Results of all kernels for the same input. The sine is separate, because it may differ.
struct Everything {
    std::vector<std::vector<std::uint32_t>> exact;
    std::vector<float> sine;
};

Everything everything() {
    std::mt19937 random{5};
    Guarded a{64, random};
    Guarded b{64, random};
    const std::array<const float*, 3> ins{a.data(), b.data(), a.data()};
    const std::array factors{0.1F, -0.9F, 1.0F};
    std::vector<Guarded> outs(6, b);
    kernels().fill(0.1F, outs[0].data(), 64);
    kernels().scale(a.data(), 0.1F, outs[1].data(), 64);
    kernels().scale_ramped(a.data(), b.data(), outs[2].data(), 64);
    kernels().add_scaled(a.data(), 0.1F, outs[3].data(), 64);
    kernels().add_scaled_ramped(a.data(), b.data(), outs[4].data(), 64);
    sum_scaled(ins, factors, outs[5].span());
    Everything result;
    for (Guarded& out : outs) result.exact.push_back(out.bits());
    result.sine.resize(1'024);
    kernels().sine(0, 0x0234'5678'9ABC'DEF0, 1.0F, result.sine.data(), result.sine.size());
    return result;
}

TEST(SimdTargets, AgreeWithEachOther) {
    const std::vector<std::string_view> targets = simd_targets();
    ASSERT_TRUE(use_simd_target(targets.front()));
    const Everything best = everything();
    for (const std::string_view target : targets) {
        ASSERT_TRUE(use_simd_target(target));
        const Everything other = everything();
        EXPECT_EQ(other.exact, best.exact) << target;
        for (std::size_t frame = 0; frame < best.sine.size(); ++frame)
            ASSERT_NEAR(other.sine[frame], best.sine[frame], 1.2e-7F) << target << ", frame " << frame;
    }
    ASSERT_TRUE(use_simd_target(targets.front()));
}

TEST(SimdTargets, TheBestIsInUseAndAnUnknownOneChangesNothing) {
    const std::vector<std::string_view> targets = simd_targets();
    ASSERT_FALSE(targets.empty());
    EXPECT_EQ(simd_target(), targets.front());
    for (const std::string_view unknown : {"", "mmx", "AVX2", "avx2 "}) {
        EXPECT_FALSE(use_simd_target(unknown)) << unknown;
        EXPECT_EQ(simd_target(), targets.front());
    }
}

INSTANTIATE_TEST_SUITE_P(Targets, KernelTest, testing::ValuesIn(simd_targets()),
                         [](const auto& parameter) { return std::string{parameter.param}; });

}  // namespace
}  // namespace rta::dsp::kernels_test
