// SPDX-License-Identifier: MIT
// Compiled once for every SIMD target: foreach_target.h includes this file for each. Code between HWY_BEFORE_NAMESPACE
// and HWY_AFTER_NAMESPACE must not call the standard library: the linker keeps one copy of an inline function, which
// might be the one compiled for AVX-512.
#include "dsp/kernels.h"

// The length of SVE vectors is unknown at compile time.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/kernels.cpp"
#include <hwy/foreach_target.h>  // before highway.h
#include <hwy/highway.h>

#include "dsp/fft_kernels.h"
#include "dsp/filter_kernels.h"
#include "dsp/math.h"
#include "dsp/simd.h"

HWY_BEFORE_NAMESPACE();
namespace rta::dsp {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// `frames` is a multiple of the vector width.
using Floats = hn::CappedTag<float, kKernelFrames>;
using Ints = hn::RebindToSigned<Floats>;
using Words = hn::RebindToUnsigned<Floats>;
using DoubleWords = hn::Repartition<std::uint64_t, Floats>;
using FloatVector = hn::Vec<Floats>;
using WordVector = hn::Vec<Words>;

constexpr Floats kFloats;
constexpr Ints kInts;
constexpr Words kWords;
constexpr DoubleWords kDoubleWords;

constexpr std::size_t kLanes = hn::MaxLanes(Floats{});

/// Calls `at(frame)` for the first frame of each vector, unrolled by four: a block of 64 frames is one iteration with
/// the widest vectors.
template <class At>
HWY_INLINE void for_each_vector(std::size_t frames, At at) {
    constexpr std::size_t kRound = 4 * kLanes;
    std::size_t frame = 0;
    for (; frame + kRound <= frames; frame += kRound) {
        at(frame);
        at(frame + kLanes);
        at(frame + 2 * kLanes);
        at(frame + 3 * kLanes);
    }
    for (; frame < frames; frame += kLanes) at(frame);
}

void fill(float value, float* out, std::size_t frames) RTA_NONBLOCKING {
    const FloatVector values = hn::Set(kFloats, value);
    for_each_vector(frames, [&](std::size_t frame) HWY_ATTR { hn::StoreU(values, kFloats, out + frame); });
}

void scale(const float* in, float factor, float* out, std::size_t frames) RTA_NONBLOCKING {
    const FloatVector gain = hn::Set(kFloats, factor);
    for_each_vector(frames, [&](std::size_t frame) HWY_ATTR {
        hn::StoreU(hn::Mul(hn::LoadU(kFloats, in + frame), gain), kFloats, out + frame);
    });
}

void scale_ramped(const float* in, const float* factors, float* out, std::size_t frames) RTA_NONBLOCKING {
    for_each_vector(frames, [&](std::size_t frame) HWY_ATTR {
        const FloatVector gain = hn::LoadU(kFloats, factors + frame);
        hn::StoreU(hn::Mul(hn::LoadU(kFloats, in + frame), gain), kFloats, out + frame);
    });
}

void add_scaled(const float* in, float factor, float* sum, std::size_t frames) RTA_NONBLOCKING {
    const FloatVector gain = hn::Set(kFloats, factor);
    for_each_vector(frames, [&](std::size_t frame) HWY_ATTR {
        const FloatVector product = hn::Mul(hn::LoadU(kFloats, in + frame), gain);
        hn::StoreU(hn::Add(hn::LoadU(kFloats, sum + frame), product), kFloats, sum + frame);
    });
}

void add_scaled_ramped(const float* in, const float* factors, float* sum, std::size_t frames) RTA_NONBLOCKING {
    for_each_vector(frames, [&](std::size_t frame) HWY_ATTR {
        const FloatVector product = hn::Mul(hn::LoadU(kFloats, in + frame), hn::LoadU(kFloats, factors + frame));
        hn::StoreU(hn::Add(hn::LoadU(kFloats, sum + frame), product), kFloats, sum + frame);
    });
}

#if HWY_HAVE_FLOAT64
using Doubles = hn::Repartition<double, Floats>;
using DoubleVector = hn::Vec<Doubles>;
constexpr Doubles kDoubles;

/// Writes value_at(elapsed), value_at(elapsed + 1), ..., rounded to float.
template <class ValueAt>
HWY_INLINE void write_ramp(double elapsed, float* out, std::size_t frames, ValueAt value_at) {
    constexpr hn::Half<Floats> kHalf;
    // Integers, and therefore exact.
    DoubleVector first = hn::Add(hn::Set(kDoubles, elapsed), hn::Iota(kDoubles, 0));
    constexpr std::size_t kHalfLanes = kLanes / 2;
    const DoubleVector half = hn::Set(kDoubles, static_cast<double>(kHalfLanes));
    const DoubleVector all = hn::Set(kDoubles, kLanes);
    for_each_vector(frames, [&](std::size_t frame) HWY_ATTR {
        const auto low = hn::DemoteTo(kHalf, value_at(first));
        const auto high = hn::DemoteTo(kHalf, value_at(hn::Add(first, half)));
        first = hn::Add(first, all);
        hn::StoreU(hn::Combine(kFloats, high, low), kFloats, out + frame);
    });
}

void linear_ramp(float start, double step, double elapsed, float* out, std::size_t frames) RTA_NONBLOCKING {
    const DoubleVector origin = hn::Set(kDoubles, static_cast<double>(start));
    const DoubleVector slope = hn::Set(kDoubles, step);
    write_ramp(elapsed, out, frames, [&](DoubleVector at) HWY_ATTR { return hn::Add(origin, hn::Mul(slope, at)); });
}

/// Computes the same bits as exp2() in dsp/math.h.
HWY_INLINE DoubleVector powers_of_two(DoubleVector x) {
    const DoubleVector round = hn::Set(kDoubles, 6'755'399'441'055'744.0);
    const DoubleVector rounded = hn::Add(x, round);
    const DoubleVector fraction = hn::Sub(x, hn::Sub(rounded, round));
    const DoubleVector t = hn::Mul(fraction, hn::Set(kDoubles, 0.693'147'180'559'945'309));
    DoubleVector power = hn::Add(hn::Set(kDoubles, 1.0 / 5040), hn::Div(t, hn::Set(kDoubles, 40320.0)));
    power = hn::Add(hn::Set(kDoubles, 1.0 / 720), hn::Mul(t, power));
    power = hn::Add(hn::Set(kDoubles, 1.0 / 120), hn::Mul(t, power));
    power = hn::Add(hn::Set(kDoubles, 1.0 / 24), hn::Mul(t, power));
    power = hn::Add(hn::Set(kDoubles, 1.0 / 6), hn::Mul(t, power));
    power = hn::Add(hn::Set(kDoubles, 1.0 / 2), hn::Mul(t, power));
    power = hn::Add(hn::Set(kDoubles, 1.0), hn::Mul(t, power));
    power = hn::Add(hn::Set(kDoubles, 1.0), hn::Mul(t, power));
    const auto biased = hn::Add(hn::BitCast(kDoubleWords, rounded), hn::Set(kDoubleWords, std::uint64_t{1023}));
    return hn::Mul(power, hn::BitCast(kDoubles, hn::ShiftLeft<52>(biased)));
}

void logarithmic_ramp(float start, double step, double elapsed, float* out, std::size_t frames) RTA_NONBLOCKING {
    const DoubleVector origin = hn::Set(kDoubles, static_cast<double>(start));
    const DoubleVector octaves = hn::Set(kDoubles, step);
    write_ramp(elapsed, out, frames,
               [&](DoubleVector at) HWY_ATTR { return hn::Mul(origin, powers_of_two(hn::Mul(octaves, at))); });
}

#else  // Highway has no vectors of doubles for WebAssembly: these loops are left to the compiler.

void linear_ramp(float start, double step, double elapsed, float* out, std::size_t frames) RTA_NONBLOCKING {
    for (std::size_t frame = 0; frame < frames; ++frame) {
        const double at = elapsed + static_cast<double>(frame);
        out[frame] = static_cast<float>(static_cast<double>(start) + step * at);
    }
}

void logarithmic_ramp(float start, double step, double elapsed, float* out, std::size_t frames) RTA_NONBLOCKING {
    for (std::size_t frame = 0; frame < frames; ++frame) {
        const double at = elapsed + static_cast<double>(frame);
        out[frame] = static_cast<float>(static_cast<double>(start) * exp2(step * at));
    }
}

#endif

/// Adds `count` inputs to `sum` over kVectors vectors of frames, which stay in registers.
template <std::size_t kVectors>
HWY_INLINE void add_group(const float* const* ins, const float* factors, std::size_t count, bool first,
                          std::size_t frame, float* sum) {
    FloatVector sums[kVectors];
    std::size_t i = 0;
    if (first) {
        const FloatVector gain = hn::Set(kFloats, factors[0]);
        for (std::size_t v = 0; v < kVectors; ++v) {
            sums[v] = hn::Mul(hn::LoadU(kFloats, ins[0] + frame + v * kLanes), gain);
        }
        i = 1;
    } else {
        for (std::size_t v = 0; v < kVectors; ++v) sums[v] = hn::LoadU(kFloats, sum + frame + v * kLanes);
    }
    for (; i < count; ++i) {
        const FloatVector gain = hn::Set(kFloats, factors[i]);
        const float* const in = ins[i] + frame;
        for (std::size_t v = 0; v < kVectors; ++v) {
            sums[v] = hn::Add(sums[v], hn::Mul(hn::LoadU(kFloats, in + v * kLanes), gain));
        }
    }
    for (std::size_t v = 0; v < kVectors; ++v) hn::StoreU(sums[v], kFloats, sum + frame + v * kLanes);
}

void sum_scaled(const float* const* ins, const float* factors, std::size_t count, float* out,
                std::size_t frames) RTA_NONBLOCKING {
    // Number of inputs whose cache lines fit into the cache together, for any block size.
    constexpr std::size_t kGroup = 16;
    // Number of sums that fit into registers: a whole block of 64 frames with vectors of 8 or 16 lanes.
    constexpr std::size_t kVectors = kLanes == 16 ? 4 : 8;
    for (std::size_t i = 0; i < count; i += kGroup) {
        const std::size_t members = count - i < kGroup ? count - i : kGroup;
        std::size_t frame = 0;
        for (; frame + kVectors * kLanes <= frames; frame += kVectors * kLanes) {
            add_group<kVectors>(ins + i, factors + i, members, i == 0, frame, out);
        }
        for (; frame < frames; frame += kLanes) add_group<1>(ins + i, factors + i, members, i == 0, frame, out);
    }
}

/// Processes kVectors vectors of frames, whose sums stay in registers.
template <std::size_t kVectors>
HWY_INLINE void fir_group(const float* in, const float* taps, std::size_t count, float* out) {
    FloatVector sums[kVectors];
    const FloatVector first = hn::Set(kFloats, taps[0]);
    for (std::size_t v = 0; v < kVectors; ++v) sums[v] = hn::Mul(first, hn::LoadU(kFloats, in + v * kLanes));
    for (std::size_t i = 1; i < count; ++i) {
        const FloatVector tap = hn::Set(kFloats, taps[i]);
        for (std::size_t v = 0; v < kVectors; ++v) {
            sums[v] = hn::Add(sums[v], hn::Mul(tap, hn::LoadU(kFloats, in + i + v * kLanes)));
        }
    }
    for (std::size_t v = 0; v < kVectors; ++v) hn::StoreU(sums[v], kFloats, out + v * kLanes);
}

void fir(const float* in, const float* taps, std::size_t count, float* out, std::size_t frames) RTA_NONBLOCKING {
    constexpr std::size_t kVectors = 4;
    std::size_t frame = 0;
    for (; frame + kVectors * kLanes <= frames; frame += kVectors * kLanes) {
        fir_group<kVectors>(in + frame, taps, count, out + frame);
    }
    for (; frame < frames; frame += kLanes) fir_group<1>(in + frame, taps, count, out + frame);
}

/// See dsp/soft_clip.h. A sample x is split into its straight part within the knee and the excess beyond it; the
/// integrals of both parts are differences of squares and of roots, divided in such a way that nothing cancels.
void soft_clip(const float* in, float knee, float* out, std::size_t frames) RTA_NONBLOCKING {
    constexpr float kLoudest = 0x1p20F;  // its square does not overflow, and the curve has reached 1
    constexpr float kTiny = 1e-30F;
    const FloatVector loudest = hn::Set(kFloats, kLoudest);
    const FloatVector corner = hn::Set(kFloats, knee);
    const FloatVector per_room = hn::Set(kFloats, 1.0F / (1.0F - knee));
    const FloatVector zero = hn::Zero(kFloats);
    const FloatVector half = hn::Set(kFloats, 0.5F);
    const FloatVector one = hn::Set(kFloats, 1.0F);
    const auto within = [](FloatVector x, FloatVector most)
                            HWY_ATTR { return hn::Min(hn::Max(x, hn::Neg(most)), most); };
    const auto root = [&](FloatVector excess) HWY_ATTR {
        const FloatVector way = hn::Mul(excess, per_room);
        return hn::Sqrt(hn::Add(one, hn::Mul(way, way)));
    };
    for (std::size_t frame = 0; frame < frames; frame += kLanes) {
        const FloatVector x0 = within(hn::LoadU(kFloats, in + frame - 1), loudest);
        const FloatVector x1 = within(hn::LoadU(kFloats, in + frame), loudest);
        const FloatVector straight0 = within(x0, corner);
        const FloatVector straight1 = within(x1, corner);
        const FloatVector excess0 = hn::Sub(x0, straight0);
        const FloatVector excess1 = hn::Sub(x1, straight1);
        // Of the way from x0 to x1, the part beyond the knee.
        const FloatVector way = hn::Sub(x1, x0);
        const FloatVector way_beyond = hn::Sub(way, hn::Sub(straight1, straight0));
        const auto moves = hn::Ne(way, zero);
        const FloatVector part_at_rest = hn::IfThenElseZero(hn::Ne(excess1, zero), one);
        const FloatVector part =
            hn::IfThenElse(moves, hn::Div(way_beyond, hn::IfThenElse(moves, way, one)), part_at_rest);

        const FloatVector straight = hn::Mul(half, hn::Add(straight0, straight1));
        // knee * (|excess1| - |excess0|) / way_beyond + (excess1^2 - excess0^2) / way_beyond / (root1 + root0)
        const FloatVector sum = hn::Add(excess0, excess1);
        const FloatVector longest = hn::Max(hn::Max(hn::Abs(sum), hn::Abs(way_beyond)), hn::Set(kFloats, kTiny));
        const FloatVector roots = hn::Add(root(excess0), root(excess1));
        const FloatVector bent =
            hn::Div(hn::Mul(sum, hn::Add(hn::Mul(corner, roots), longest)), hn::Mul(longest, roots));
        hn::StoreU(hn::Add(straight, hn::Mul(part, hn::Sub(bent, straight))), kFloats, out + frame);
    }
}

/// Returns gain * sine_of_phase() of each lane (see dsp/math.h). Phases are relative to the peak of the sine. Uses
/// fused multiply-add where available, which saves a third of the instructions.
HWY_INLINE FloatVector sines(WordVector phases_from_peak, FloatVector gain) {
    const auto quarter = hn::Set(kInts, std::int32_t{1} << 30);
    const auto from_peak = hn::Abs(hn::BitCast(kInts, phases_from_peak));
    const FloatVector folded = hn::ConvertTo(kFloats, hn::Sub(quarter, from_peak));
    const FloatVector x = hn::Mul(folded, hn::Set(kFloats, 0x1p-30F));
    const FloatVector square = hn::Mul(x, x);
    FloatVector sum = hn::MulAdd(square, hn::Set(kFloats, kSine9), hn::Set(kFloats, kSine7));
    sum = hn::MulAdd(square, sum, hn::Set(kFloats, kSine5));
    sum = hn::MulAdd(square, sum, hn::Set(kFloats, kSine3));
    sum = hn::MulAdd(square, sum, hn::Set(kFloats, kSine1));
    return hn::Mul(hn::Mul(x, gain), sum);  // not x * sum * gain: a shorter dependency chain
}

void sine(std::uint64_t phase, std::uint64_t increment, float factor, float* out, std::size_t frames) RTA_NONBLOCKING {
    // The sine uses the upper halves of 64-bit phases. Two vectors of these result in one vector of floats.
    // 0, 1, 2 ... times the increment, from 32-bit products: 64-bit products are slow or unavailable.
    const WordVector index = hn::BitCast(kWords, hn::Iota(kDoubleWords, 0));
    const auto low = hn::MulEven(index, hn::Set(kWords, static_cast<std::uint32_t>(increment)));
    const auto high = hn::MulEven(index, hn::Set(kWords, static_cast<std::uint32_t>(increment >> 32U)));
    constexpr std::uint64_t kQuarterTurn = std::uint64_t{1} << 62U;
    auto first = hn::Add(hn::Set(kDoubleWords, phase - kQuarterTurn), hn::Add(low, hn::ShiftLeft<32>(high)));
    auto second = hn::Add(first, hn::Set(kDoubleWords, increment * (kLanes / 2)));
    const auto step = hn::Set(kDoubleWords, increment * kLanes);
    const FloatVector gain = hn::Set(kFloats, factor);
    for_each_vector(frames, [&](std::size_t frame) HWY_ATTR {
        const WordVector phases = hn::ConcatOdd(kWords, hn::BitCast(kWords, second), hn::BitCast(kWords, first));
        first = hn::Add(first, step);
        second = hn::Add(second, step);
        hn::StoreU(sines(phases, gain), kFloats, out + frame);
    });
}

void sine_of_phases(const std::uint32_t* phases, const float* factors, float* out, std::size_t frames) RTA_NONBLOCKING {
    for_each_vector(frames, [&](std::size_t frame) HWY_ATTR {
        const WordVector from_peak = hn::Sub(hn::LoadU(kWords, phases + frame), hn::Set(kWords, 1U << 30U));
        hn::StoreU(sines(from_peak, hn::LoadU(kFloats, factors + frame)), kFloats, out + frame);
    });
}

void feed_back(const float* in, const float* wet, float feedback, float mix, float* line, float* out,
               std::size_t frames) RTA_NONBLOCKING {
    const FloatVector back = hn::Set(kFloats, feedback);
    const FloatVector wet_gain = hn::Set(kFloats, mix);
    const FloatVector dry_gain = hn::Set(kFloats, 1.0F - mix);
    const FloatVector tiny = hn::Set(kFloats, kTiny);
    for (std::size_t frame = 0; frame < frames; frame += kLanes) {
        const FloatVector now = hn::LoadU(kFloats, in + frame);
        const FloatVector then = hn::LoadU(kFloats, wet + frame);
        const FloatVector fed = hn::Add(now, hn::Mul(then, back));
        hn::StoreU(hn::IfThenElseZero(hn::Ge(hn::Abs(fed), tiny), fed), kFloats, line + frame);
        hn::StoreU(hn::Add(hn::Mul(now, dry_gain), hn::Mul(then, wet_gain)), kFloats, out + frame);
    }
}

// NaN and infinity have all exponent bits set: without the sign, they are the largest integers.
constexpr std::int32_t kMagnitude = 0x7FFF'FFFF;
constexpr std::int32_t kInfinity = 0x7F80'0000;

HWY_INLINE FloatVector finite_or_zero(FloatVector samples) {
    const auto magnitudes = hn::And(hn::BitCast(kInts, samples), hn::Set(kInts, kMagnitude));
    const auto finite = hn::RebindMask(kFloats, hn::Lt(magnitudes, hn::Set(kInts, kInfinity)));
    return hn::IfThenElseZero(finite, samples);
}

void all_finite_or_zero(const float* in, float* out, std::size_t frames) RTA_NONBLOCKING {
    for_each_vector(frames, [&](std::size_t frame) HWY_ATTR {
        hn::StoreU(finite_or_zero(hn::LoadU(kFloats, in + frame)), kFloats, out + frame);
    });
}

Level level(const float* in, std::size_t frames) RTA_NONBLOCKING {
    FloatVector peaks = hn::Zero(kFloats);
    FloatVector sums = hn::Zero(kFloats);
    for (std::size_t frame = 0; frame < frames; frame += kLanes) {
        const FloatVector samples = finite_or_zero(hn::LoadU(kFloats, in + frame));
        peaks = hn::Max(peaks, hn::Abs(samples));
        sums = hn::Add(sums, hn::Mul(samples, samples));
    }
    return {.peak = hn::GetLane(hn::MaxOfLanes(kFloats, peaks)),
            .sum_of_squares = hn::GetLane(hn::SumOfLanes(kFloats, sums))};
}

bool all_finite(const float* in, std::size_t frames) RTA_NONBLOCKING {
    auto largest = hn::Zero(kInts);
    for_each_vector(frames, [&](std::size_t frame) HWY_ATTR {
        const auto bits = hn::BitCast(kInts, hn::LoadU(kFloats, in + frame));
        largest = hn::Max(largest, hn::And(bits, hn::Set(kInts, kMagnitude)));
    });
    return hn::AllTrue(kInts, hn::Lt(largest, hn::Set(kInts, kInfinity)));
}

constexpr const char* name_of_target() {
    switch (HWY_TARGET) {
        case HWY_AVX3:
            return "avx3";
        case HWY_AVX2:
            return "avx2";
        case HWY_SSE4:
            return "sse4";
        case HWY_NEON:
            return "neon";
        case HWY_WASM:
            return "wasm";
        default:
            return nullptr;
    }
}
static_assert(name_of_target() != nullptr, "give the target its name, and write it into dsp/simd.h");

}  // namespace

constexpr Kernels kKernels{
    .target = name_of_target(),
    .fill = fill,
    .scale = scale,
    .scale_ramped = scale_ramped,
    .add_scaled = add_scaled,
    .add_scaled_ramped = add_scaled_ramped,
    .linear_ramp = linear_ramp,
    .logarithmic_ramp = logarithmic_ramp,
    .sum_scaled = sum_scaled,
    .fir = fir,
    .soft_clip = soft_clip,
    .sine = sine,
    .sine_of_phases = sine_of_phases,
    .feed_back = feed_back,
    .level = level,
    .finite_or_zero = all_finite_or_zero,
    .all_finite = all_finite,
};

}  // namespace HWY_NAMESPACE
}  // namespace rta::dsp
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace rta::dsp {

// The baseline target, which every supported CPU can run.
constinit Kernels detail::g_kernels = HWY_STATIC_DISPATCH(kKernels);

namespace {

/// Returns the kernels of the targets that the CPU supports, best first.
std::vector<const Kernels*> supported_kernels() {
    std::vector<const Kernels*> found;
#if HWY_TARGETS != HWY_STATIC_TARGET
    // HWY_EXPORT would make the same choice, but permanently; here it can be changed.
    [[maybe_unused]] const std::int64_t supported = hwy::SupportedTargets();
#if (HWY_TARGETS & HWY_AVX3) && HWY_STATIC_TARGET != HWY_AVX3
    if ((supported & HWY_AVX3) != 0) found.push_back(&N_AVX3::kKernels);
#endif
#if (HWY_TARGETS & HWY_AVX2) && HWY_STATIC_TARGET != HWY_AVX2
    if ((supported & HWY_AVX2) != 0) found.push_back(&N_AVX2::kKernels);
#endif
#endif
    found.push_back(&HWY_STATIC_DISPATCH(kKernels));
    return found;
}

// Runs before main(), so that every program that links the kernels uses the best target.
[[maybe_unused]] const bool g_chosen = use_simd_target(supported_kernels().front()->target);

}  // namespace

std::vector<std::string_view> simd_targets() {
    std::vector<std::string_view> names;
    for (const Kernels* kernels : supported_kernels()) names.emplace_back(kernels->target);
    return names;
}

std::string_view simd_target() { return kernels().target; }

bool use_simd_target(std::string_view name) {
    for (const Kernels* kernels : supported_kernels()) {
        if (name != kernels->target) continue;
        detail::g_kernels = *kernels;
        detail::use_filter_kernels(name);
        detail::use_fft_kernels(name);
        return true;
    }
    return false;
}

}  // namespace rta::dsp

#endif  // HWY_ONCE
