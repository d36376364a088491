// SPDX-License-Identifier: MIT
#include "fused_pairs.h"

#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fused_pairs.cpp"
#include <hwy/foreach_target.h>  // before highway.h
#include <hwy/highway.h>

#include "dsp/math.h"

HWY_BEFORE_NAMESPACE();
namespace rta::bench {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using Ints = hn::RebindToSigned<Floats>;
using Words = hn::RebindToUnsigned<Floats>;
using DoubleWords = hn::Repartition<std::uint64_t, Floats>;
using FloatVector = hn::Vec<Floats>;

template <bool kFused>
HWY_INLINE FloatVector multiply_add(FloatVector a, FloatVector b, FloatVector c) {
    if constexpr (kFused) {
        return hn::MulAdd(a, b, c);
    } else {
        return hn::Add(c, hn::Mul(a, b));
    }
}

HWY_INLINE FloatVector sines(hn::Vec<Words> phases_from_peak) {
    constexpr Floats kFloats;
    constexpr Ints kInts;
    const auto quarter = hn::Set(kInts, std::int32_t{1} << 30);
    const auto from_peak = hn::Abs(hn::BitCast(kInts, phases_from_peak));
    const auto x = hn::Mul(hn::ConvertTo(kFloats, hn::Sub(quarter, from_peak)), hn::Set(kFloats, 0x1p-30F));
    const auto square = hn::Mul(x, x);
    auto sum = hn::Set(kFloats, dsp::kSine9);
    sum = hn::MulAdd(square, sum, hn::Set(kFloats, dsp::kSine7));
    sum = hn::MulAdd(square, sum, hn::Set(kFloats, dsp::kSine5));
    sum = hn::MulAdd(square, sum, hn::Set(kFloats, dsp::kSine3));
    sum = hn::MulAdd(square, sum, hn::Set(kFloats, dsp::kSine1));
    return hn::Mul(x, sum);
}

/// Keeps the sums of kVectors vectors in registers while all pairs are added.
template <bool kFused>
HWY_INLINE void render(std::uint64_t* phases, const std::uint64_t* increments, const float* factors, std::size_t count,
                       float* out, std::size_t frames) {
    constexpr Floats kFloats;
    constexpr Words kWords;
    constexpr DoubleWords kDoubleWords;
    constexpr std::size_t kLanes = hn::MaxLanes(Floats{});
    constexpr std::size_t kVectors = 4;
    const auto index = hn::BitCast(kWords, hn::Iota(kDoubleWords, 0));
    for (std::size_t frame = 0; frame < frames; frame += kVectors * kLanes) {
        FloatVector sums[kVectors];
        for (auto& sum : sums) sum = hn::Zero(kFloats);
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint64_t increment = increments[i];
            const auto low = hn::MulEven(index, hn::Set(kWords, static_cast<std::uint32_t>(increment)));
            const auto high = hn::MulEven(index, hn::Set(kWords, static_cast<std::uint32_t>(increment >> 32U)));
            auto first = hn::Add(hn::Set(kDoubleWords, phases[i] - (std::uint64_t{1} << 62U)),
                                 hn::Add(low, hn::ShiftLeft<32>(high)));
            auto second = hn::Add(first, hn::Set(kDoubleWords, increment * (kLanes / 2)));
            const auto step = hn::Set(kDoubleWords, increment * kLanes);
            const auto gain = hn::Set(kFloats, factors[i]);
            for (auto& sum : sums) {
                const auto sine = sines(hn::ConcatOdd(kWords, hn::BitCast(kWords, second), hn::BitCast(kWords, first)));
                sum = multiply_add<kFused>(sine, gain, sum);
                first = hn::Add(first, step);
                second = hn::Add(second, step);
            }
            phases[i] += increment * kVectors * kLanes;
        }
        for (std::size_t v = 0; v < kVectors; ++v) hn::StoreU(sums[v], kFloats, out + frame + v * kLanes);
    }
}

void render_fused(std::uint64_t* phases, const std::uint64_t* increments, const float* factors, std::size_t count,
                  float* out, std::size_t frames) {
    render<true>(phases, increments, factors, count, out, frames);
}

void render_separate(std::uint64_t* phases, const std::uint64_t* increments, const float* factors, std::size_t count,
                     float* out, std::size_t frames) {
    render<false>(phases, increments, factors, count, out, frames);
}

void sum_products(const float* values, const float* factors, std::size_t count, float* out, std::size_t frames) {
    constexpr Floats kFloats;
    constexpr std::size_t kLanes = hn::MaxLanes(Floats{});
    constexpr std::size_t kVectors = 4;
    for (std::size_t frame = 0; frame < frames; frame += kVectors * kLanes) {
        FloatVector sums[kVectors];
        for (auto& sum : sums) sum = hn::Zero(kFloats);
        for (std::size_t i = 0; i < count; ++i) {
            const auto value = hn::Set(kFloats, values[i]);
            const auto factor = hn::Set(kFloats, factors[i]);
            for (auto& sum : sums) {
                auto product = hn::Mul(value, factor);
                // Prevents the compiler from merging equal vectors.
                asm volatile("" : "+x"(product.raw));
                sum = hn::Add(sum, product);
            }
        }
        for (std::size_t v = 0; v < kVectors; ++v) hn::StoreU(sums[v], kFloats, out + frame + v * kLanes);
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace rta::bench
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace rta::bench {

void FusedPairs::render(std::string_view simd_target, bool fused, float* out, std::size_t frames) {
    auto* function = fused ? &HWY_STATIC_DISPATCH(render_fused) : &HWY_STATIC_DISPATCH(render_separate);
#if (HWY_TARGETS & HWY_AVX2) && HWY_STATIC_TARGET != HWY_AVX2
    if (simd_target == "avx2") function = fused ? &N_AVX2::render_fused : &N_AVX2::render_separate;
#endif
#if (HWY_TARGETS & HWY_AVX3) && HWY_STATIC_TARGET != HWY_AVX3
    if (simd_target == "avx3") function = fused ? &N_AVX3::render_fused : &N_AVX3::render_separate;
#endif
    function(phases.data(), increments.data(), factors.data(), phases.size(), out, frames);
}

void sum_products(std::string_view simd_target, const float* values, const float* factors, std::size_t count,
                  float* out, std::size_t frames) {
    auto* function = &HWY_STATIC_DISPATCH(sum_products);
#if (HWY_TARGETS & HWY_AVX2) && HWY_STATIC_TARGET != HWY_AVX2
    if (simd_target == "avx2") function = &N_AVX2::sum_products;
#endif
#if (HWY_TARGETS & HWY_AVX3) && HWY_STATIC_TARGET != HWY_AVX3
    if (simd_target == "avx3") function = &N_AVX3::sum_products;
#endif
    function(values, factors, count, out, frames);
}

}  // namespace rta::bench

#endif  // HWY_ONCE
