// SPDX-License-Identifier: MIT
// Compiled once for every SIMD target, like dsp/kernels.cpp.
#include "dsp/filter_kernels.h"

#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/filter_kernels.cpp"
#include <hwy/foreach_target.h>  // before highway.h
#include <hwy/highway.h>

#include "dsp/kernels.h"
#include "dsp/math.h"

HWY_BEFORE_NAMESPACE();
namespace rta::dsp {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, kKernelFrames>;
using Quads = hn::CappedTag<float, 4>;
using Ints = hn::RebindToSigned<Floats>;
using Pairs = hn::Repartition<double, Floats>;
using FloatVector = hn::Vec<Floats>;

constexpr Floats kFloats;
constexpr Quads kQuads;
constexpr Ints kInts;
constexpr Pairs kPairs;

constexpr std::size_t kLanes = hn::MaxLanes(Floats{});

/// Frames of one step of the recursion, and the number of vectors that hold them.
constexpr std::size_t kChunk = kLanes < 8 ? 8 : kLanes;
constexpr std::size_t kParts = kChunk / kLanes;
static_assert(kChunk == 8 || kChunk == 16, "BiquadCoefficients has no matrices for other steps");

/// Returns the sum of all groups of four lanes.
template <class Tag>
HWY_INLINE hn::Vec<Quads> folded(Tag /*tag*/, hn::Vec<Tag> lanes) {
    if constexpr (hn::MaxLanes(Tag{}) == 4) {
        return lanes;
    } else {
        constexpr hn::Half<Tag> kHalf;
        return folded(kHalf, hn::Add(hn::LowerHalf(kHalf, lanes), hn::UpperHalf(kHalf, lanes)));
    }
}

/// Returns the four sums of the lanes of a, b, c and d.
HWY_INLINE hn::Vec<Quads> four_sums(FloatVector a, FloatVector b, FloatVector c, FloatVector d) {
    const FloatVector ab = hn::Add(hn::InterleaveLower(kFloats, a, b), hn::InterleaveUpper(kFloats, a, b));
    const FloatVector cd = hn::Add(hn::InterleaveLower(kFloats, c, d), hn::InterleaveUpper(kFloats, c, d));
    const auto low = hn::InterleaveLower(kPairs, hn::BitCast(kPairs, ab), hn::BitCast(kPairs, cd));
    const auto high = hn::InterleaveUpper(kPairs, hn::BitCast(kPairs, ab), hn::BitCast(kPairs, cd));
    const FloatVector sums = hn::Add(hn::BitCast(kFloats, low), hn::BitCast(kFloats, high));  // of each four lanes
    return folded(kFloats, sums);
}

/// Computes the contribution of the inputs of kChunks chunks to the states: two sums per chunk. `sums` must have room
/// for an even number of chunks.
template <std::size_t kChunks>
HWY_INLINE void sums_to_states(const BiquadCoefficients& section, const float* in, float* sums) {
    const float* const to_1 = section.to_state_1 + BiquadCoefficients::kFrames - kChunk;
    const float* const to_2 = section.to_state_2 + BiquadCoefficients::kFrames - kChunk;
    for (std::size_t chunk = 0; chunk < kChunks; chunk += 2) {
        FloatVector products[4] = {hn::Zero(kFloats), hn::Zero(kFloats), hn::Zero(kFloats), hn::Zero(kFloats)};
        for (std::size_t c = 0; c < 2 && chunk + c < kChunks; ++c) {
            for (std::size_t part = 0; part < kParts; ++part) {
                const FloatVector x = hn::LoadU(kFloats, in + (chunk + c) * kChunk + part * kLanes);
                FloatVector& first = products[2 * c];
                FloatVector& second = products[2 * c + 1];
                first = hn::MulAdd(x, hn::LoadU(kFloats, to_1 + part * kLanes), first);
                second = hn::MulAdd(x, hn::LoadU(kFloats, to_2 + part * kLanes), second);
            }
        }
        hn::StoreU(four_sums(products[0], products[1], products[2], products[3]), kQuads, sums + 2 * chunk);
    }
}

/// Processes kChunks chunks. Their responses to the input are independent; only the two states pass from one chunk to
/// the next.
template <std::size_t kChunks>
HWY_INLINE void run_group(const BiquadCoefficients& section, BiquadState& state, const float* in, float* out) {
    float sums[2 * (kChunks + kChunks % 2)];
    sums_to_states<kChunks>(section, in, sums);

    FloatVector answers[kChunks * kParts];
    for (FloatVector& answer : answers) answer = hn::Zero(kFloats);
    const float* const response = section.impulse + BiquadCoefficients::kFrames;
    HWY_UNROLL(16)
    for (std::size_t frame = 0; frame < kChunk; ++frame) {
        // A frame does not affect earlier parts.
        for (std::size_t part = frame / kLanes; part < kParts; ++part) {
            const FloatVector column = hn::LoadU(kFloats, response + part * kLanes - frame);
            for (std::size_t c = 0; c < kChunks; ++c) {
                FloatVector& answer = answers[c * kParts + part];
                answer = hn::MulAdd(column, hn::Set(kFloats, in[c * kChunk + frame]), answer);
            }
        }
    }

    FloatVector from_1[kParts];
    FloatVector from_2[kParts];
    for (std::size_t part = 0; part < kParts; ++part) {
        from_1[part] = hn::LoadU(kFloats, section.from_state_1 + part * kLanes);
        from_2[part] = hn::LoadU(kFloats, section.from_state_2 + part * kLanes);
    }
    const float* const matrix = kChunk == 8 ? section.advance_8 : section.advance_16;
    const float advance[4] = {matrix[0], matrix[1], matrix[2], matrix[3]};
    BiquadState s = state;
    for (std::size_t c = 0; c < kChunks; ++c) {
        for (std::size_t part = 0; part < kParts; ++part) {
            FloatVector answer = answers[c * kParts + part];
            answer = hn::MulAdd(from_1[part], hn::Set(kFloats, s.s1), answer);
            answer = hn::MulAdd(from_2[part], hn::Set(kFloats, s.s2), answer);
            hn::StoreU(answer, kFloats, out + c * kChunk + part * kLanes);
        }
        const float change_1 = advance[0] * s.s1 + (advance[1] * s.s2 + sums[2 * c]);
        const float change_2 = advance[3] * s.s2 + (advance[2] * s.s1 + sums[2 * c + 1]);
        s.s1 += change_1;
        s.s2 += change_2;
    }
    state = s;
}

void run(const BiquadCoefficients* sections, BiquadState* states, std::size_t count, const float* in, float* out,
         std::size_t frames) RTA_NONBLOCKING {
    constexpr std::size_t kMany = 64;
    for (std::size_t i = 0; i < count; ++i) {
        BiquadState state = states[i];
        std::size_t frame = 0;
        for (; frame + kMany <= frames; frame += kMany) {
            run_group<kMany / kChunk>(sections[i], state, in + frame, out + frame);
        }
        for (; frame < frames; frame += kKernelFrames) {
            run_group<kKernelFrames / kChunk>(sections[i], state, in + frame, out + frame);
        }
        states[i] = {flushed_state(state.s1), flushed_state(state.s2)};
        in = out;
    }
}

void limit(float* samples, std::size_t count) RTA_NONBLOCKING {
    const FloatVector high = hn::Set(kFloats, kLargestBetweenSections);
    // In this order, x86 returns NaN for NaN.
    for (std::size_t i = 0; i < count; i += kLanes)
        hn::StoreU(hn::Min(high, hn::Max(hn::Neg(high), hn::LoadU(kFloats, samples + i))), kFloats, samples + i);
}

/// Returns sin(pi / 2 * x), 0 <= x <= 1; see dsp/math.h.
HWY_INLINE FloatVector sines_of_quarters(FloatVector x) {
    const FloatVector square = hn::Mul(x, x);
    FloatVector sum = hn::MulAdd(square, hn::Set(kFloats, kSine9), hn::Set(kFloats, kSine7));
    sum = hn::MulAdd(square, sum, hn::Set(kFloats, kSine5));
    sum = hn::MulAdd(square, sum, hn::Set(kFloats, kSine3));
    sum = hn::MulAdd(square, sum, hn::Set(kFloats, kSine1));
    return hn::Mul(x, sum);
}

/// Returns 10^(gain_db / 40): A of the cookbook, the square root of the gain. Relative error below 2e-7.
HWY_INLINE FloatVector roots_of_gains(FloatVector gain_db) {
    constexpr float kOctavesPerDb = 0.083'048'202F;  // log2(10) / 40
    const FloatVector octaves = hn::Mul(gain_db, hn::Set(kFloats, kOctavesPerDb));
    const auto whole = hn::NearestInt(octaves);
    const FloatVector t = hn::Mul(hn::Sub(octaves, hn::ConvertTo(kFloats, whole)), hn::Set(kFloats, 0.693'147'18F));
    // Taylor series of e^t for |t| < 0.35; the first missing term is below 6e-9.
    FloatVector sum = hn::MulAdd(t, hn::Set(kFloats, 1.0F / 5'040), hn::Set(kFloats, 1.0F / 720));
    sum = hn::MulAdd(t, sum, hn::Set(kFloats, 1.0F / 120));
    sum = hn::MulAdd(t, sum, hn::Set(kFloats, 1.0F / 24));
    sum = hn::MulAdd(t, sum, hn::Set(kFloats, 1.0F / 6));
    sum = hn::MulAdd(t, sum, hn::Set(kFloats, 0.5F));
    sum = hn::MulAdd(t, sum, hn::Set(kFloats, 1.0F));
    sum = hn::MulAdd(t, sum, hn::Set(kFloats, 1.0F));
    // 2^whole, built from its exponent field.
    const auto scale = hn::ShiftLeft<23>(hn::Add(whole, hn::Set(kInts, 127)));
    return hn::Mul(sum, hn::BitCast(kFloats, scale));
}

/// One vector of frames of a section with moving parameters.
struct Design {
    FloatVector s, c;  ///< sine and cosine of half the angle per frame
    FloatVector k;     ///< 1 / Q
    FloatVector drive;
    FloatVector m0, m1, m2;
};

/// Computes the same as mixture_of() in dsp/biquad.cpp.
HWY_INLINE void mix(FilterKind kind, FloatVector gain_db, Design& design) {
    const FloatVector zero = hn::Zero(kFloats);
    const FloatVector one = hn::Set(kFloats, 1.0F);
    const FloatVector two = hn::Set(kFloats, 2.0F);
    const FloatVector minus_one = hn::Set(kFloats, -1.0F);
    const FloatVector k = design.k;
    const auto mixture = [&](FloatVector m0, FloatVector m1, FloatVector m2) {
        design.m0 = m0;
        design.m1 = m1;
        design.m2 = m2;
    };
    design.drive = one;
    if (is_first_order(kind)) design.k = hn::Set(kFloats, static_cast<float>(kFirstOrderK));
    switch (kind) {
        case FilterKind::lowpass:
            return mixture(zero, zero, one);
        case FilterKind::highpass:
            return mixture(one, hn::Neg(k), minus_one);
        case FilterKind::bandpass_skirt:
            return mixture(zero, one, zero);
        case FilterKind::bandpass_peak:
            design.drive = k;
            return mixture(zero, one, zero);
        case FilterKind::notch:
            design.drive = k;
            return mixture(one, minus_one, zero);
        case FilterKind::allpass:
            design.drive = k;
            return mixture(one, hn::Set(kFloats, -2.0F), zero);
        case FilterKind::peaking: {
            const FloatVector root = roots_of_gains(gain_db);
            design.k = design.drive = hn::Div(k, root);
            return mixture(one, hn::Sub(hn::Mul(root, root), one), zero);
        }
        case FilterKind::low_shelf: {
            const FloatVector root = roots_of_gains(gain_db);
            design.s = hn::Div(design.s, hn::Sqrt(root));
            return mixture(one, hn::Mul(k, hn::Sub(root, one)), hn::Sub(hn::Mul(root, root), one));
        }
        case FilterKind::high_shelf: {
            const FloatVector root = roots_of_gains(gain_db);
            const FloatVector gain = hn::Mul(root, root);
            design.s = hn::Mul(design.s, hn::Sqrt(root));
            return mixture(gain, hn::Mul(k, hn::Sub(root, gain)), hn::Sub(one, gain));
        }
        case FilterKind::lowpass_1:
            return mixture(zero, one, one);
        case FilterKind::highpass_1:
            return mixture(one, minus_one, minus_one);
        case FilterKind::allpass_1:
            return mixture(minus_one, two, two);
        case FilterKind::low_shelf_1: {
            const FloatVector root = roots_of_gains(gain_db);
            const FloatVector rise = hn::Sub(hn::Mul(root, root), one);
            design.s = hn::Div(design.s, root);
            return mixture(one, rise, rise);
        }
        case FilterKind::high_shelf_1: {
            const FloatVector root = roots_of_gains(gain_db);
            const FloatVector gain = hn::Mul(root, root);
            design.s = hn::Mul(design.s, root);
            return mixture(gain, hn::Sub(one, gain), hn::Sub(one, gain));
        }
        case FilterKind::inverted_highpass:
            return mixture(minus_one, k, one);
    }
}

void design(FilterKind kind, float half_cycles_per_hz, const float* frequency_hz, const float* q, const float* gain_db,
            const BiquadRamp& ramp, std::size_t frames) RTA_NONBLOCKING {
    const FloatVector one = hn::Set(kFloats, 1.0F);
    for (std::size_t frame = 0; frame < frames; frame += kLanes) {
        const FloatVector wanted =
            hn::Mul(hn::LoadU(kFloats, frequency_hz + frame), hn::Set(kFloats, half_cycles_per_hz));
        const FloatVector half_cycles = hn::Min(wanted, hn::Set(kFloats, kMaximumHalfCycles));
        Design design;
        design.s = sines_of_quarters(half_cycles);
        design.c = sines_of_quarters(hn::Sub(one, half_cycles));
        design.k = hn::Div(one, hn::LoadU(kFloats, q + frame));
        mix(kind, hn::LoadU(kFloats, gain_db + frame), design);
        // 1 / (1 + g (g + k)) with g = s / c, times c^2: all terms stay bounded near half the sample rate.
        const FloatVector across = hn::Mul(design.s, design.c);
        const FloatVector square = hn::Mul(design.s, design.s);
        const FloatVector sum = hn::MulAdd(across, design.k, hn::MulAdd(design.c, design.c, square));
        hn::StoreU(hn::Div(across, sum), kFloats, ramp.a2 + frame);
        hn::StoreU(hn::Div(square, sum), kFloats, ramp.a3 + frame);
        if (ramp.drive != nullptr) hn::StoreU(design.drive, kFloats, ramp.drive + frame);
        hn::StoreU(design.k, kFloats, ramp.k + frame);
        hn::StoreU(design.m0, kFloats, ramp.m0 + frame);
        hn::StoreU(design.m1, kFloats, ramp.m1 + frame);
        hn::StoreU(design.m2, kFloats, ramp.m2 + frame);
    }
}

/// Transposes 4 x 4 floats.
HWY_INLINE void transpose(hn::Vec<Quads> (&rows)[4]) {
    constexpr hn::Repartition<double, Quads> kHalves;
    const auto ab_low = hn::BitCast(kHalves, hn::InterleaveLower(kQuads, rows[0], rows[1]));
    const auto ab_high = hn::BitCast(kHalves, hn::InterleaveUpper(kQuads, rows[0], rows[1]));
    const auto cd_low = hn::BitCast(kHalves, hn::InterleaveLower(kQuads, rows[2], rows[3]));
    const auto cd_high = hn::BitCast(kHalves, hn::InterleaveUpper(kQuads, rows[2], rows[3]));
    rows[0] = hn::BitCast(kQuads, hn::InterleaveLower(kHalves, ab_low, cd_low));
    rows[1] = hn::BitCast(kQuads, hn::InterleaveUpper(kHalves, ab_low, cd_low));
    rows[2] = hn::BitCast(kQuads, hn::InterleaveLower(kHalves, ab_high, cd_high));
    rows[3] = hn::BitCast(kQuads, hn::InterleaveUpper(kHalves, ab_high, cd_high));
}

void interleave(const float* const* ins, std::size_t channels, float* samples, std::size_t frames) RTA_NONBLOCKING {
    const std::size_t width = interleaved_width(channels);
    for (std::size_t channel = 0; channel < channels; channel += 4) {
        for (std::size_t frame = 0; frame < frames; frame += 4) {
            hn::Vec<Quads> rows[4] = {hn::Zero(kQuads), hn::Zero(kQuads), hn::Zero(kQuads), hn::Zero(kQuads)};
            for (std::size_t i = 0; i < 4 && channel + i < channels; ++i) {
                rows[i] = hn::LoadU(kQuads, ins[channel + i] + frame);
            }
            transpose(rows);
            for (std::size_t i = 0; i < 4; ++i) hn::StoreU(rows[i], kQuads, samples + (frame + i) * width + channel);
        }
    }
}

void deinterleave(const float* samples, float* const* outs, std::size_t channels, std::size_t frames) RTA_NONBLOCKING {
    const std::size_t width = interleaved_width(channels);
    for (std::size_t channel = 0; channel < channels; channel += 4) {
        for (std::size_t frame = 0; frame < frames; frame += 4) {
            hn::Vec<Quads> rows[4];
            for (std::size_t i = 0; i < 4; ++i) rows[i] = hn::LoadU(kQuads, samples + (frame + i) * width + channel);
            transpose(rows);
            for (std::size_t i = 0; i < 4 && channel + i < channels; ++i) {
                hn::StoreU(rows[i], kQuads, outs[channel + i] + frame);
            }
        }
    }
}

/// States of one vector of channels.
template <class Tag>
struct States {
    hn::Vec<Tag> s1, s2;
};

/// Coefficients of one frame, in all lanes.
template <class Tag>
struct FrameCoefficients {
    HWY_INLINE FrameCoefficients(const BiquadRamp& ramp, std::size_t frame)
        : a2{hn::Set(Tag{}, ramp.a2[frame])},
          a3{hn::Set(Tag{}, ramp.a3[frame])},
          m0{hn::Set(Tag{}, ramp.m0[frame])},
          m1{hn::Set(Tag{}, ramp.m1[frame])},
          m2{hn::Set(Tag{}, ramp.m2[frame])} {}

    hn::Vec<Tag> a2, a3, m0, m1, m2;
};

/// Advances the states by the changes and returns the output. Changes are not new values: near 0 Hz they are small and
/// keep their precision.
template <class Tag>
HWY_INLINE hn::Vec<Tag> advance(const FrameCoefficients<Tag>& c, hn::Vec<Tag> x, hn::Vec<Tag> change_1,
                                hn::Vec<Tag> change_2, States<Tag>& s) {
    const auto two = hn::Set(Tag{}, 2.0F);
    const auto v1 = hn::Add(s.s1, change_1);
    const auto v2 = hn::Add(s.s2, change_2);
    s.s1 = hn::Add(s.s1, hn::Mul(two, change_1));
    s.s2 = hn::Add(s.s2, hn::Mul(two, change_2));
    return hn::Add(hn::Add(hn::Mul(c.m0, x), hn::Mul(c.m1, v1)), hn::Mul(c.m2, v2));
}

/// Runs a section that keeps its feed: when drive and k change, the second state absorbs the difference.
template <class Tag, std::size_t kVectors>
HWY_INLINE void run_kept_feed(const BiquadRamp& ramp, States<Tag> (&states)[kVectors], float* samples,
                              std::size_t width, std::size_t frames) {
    constexpr Tag kTag;
    BiquadFeed before = ramp.before;
    for (std::size_t frame = 0; frame < frames; ++frame) {
        const FrameCoefficients<Tag> c{ramp, frame};
        const BiquadFeed now{ramp.drive[frame], ramp.k[frame]};
        const auto drive = hn::Set(kTag, before.drive);
        const auto k = hn::Set(kTag, before.k);
        const auto drive_step = hn::Set(kTag, now.drive - before.drive);
        const auto k_step = hn::Set(kTag, now.k - before.k);
        before = now;
        for (std::size_t v = 0; v < kVectors; ++v) {
            float* const place = samples + frame * width + v * hn::MaxLanes(kTag);
            States<Tag>& s = states[v];
            const auto x = hn::LoadU(kTag, place);
            const auto k_step_of_band = hn::Mul(k_step, s.s1);
            const auto less_low = hn::Sub(hn::Mul(drive, x), s.s2);
            const auto change_1 = hn::Sub(hn::Mul(c.a2, hn::Sub(less_low, hn::Mul(k, s.s1))), hn::Mul(c.a3, s.s1));
            const auto change_2 = hn::Add(hn::Mul(c.a2, s.s1), hn::Mul(c.a3, hn::Add(less_low, k_step_of_band)));
            s.s2 = hn::Add(s.s2, hn::Sub(hn::Mul(drive_step, x), k_step_of_band));
            hn::StoreU(advance<Tag>(c, x, change_1, change_2, s), kTag, place);
        }
    }
}

/// Runs any other section.
template <class Tag, std::size_t kVectors>
HWY_INLINE void run_other(const BiquadRamp& ramp, States<Tag> (&states)[kVectors], float* samples, std::size_t width,
                          std::size_t frames) {
    constexpr Tag kTag;
    for (std::size_t frame = 0; frame < frames; ++frame) {
        const FrameCoefficients<Tag> c{ramp, frame};
        const auto k = hn::Set(kTag, ramp.k[frame]);
        for (std::size_t v = 0; v < kVectors; ++v) {
            float* const place = samples + frame * width + v * hn::MaxLanes(kTag);
            States<Tag>& s = states[v];
            const auto x = hn::LoadU(kTag, place);
            const auto less_low = hn::Sub(x, s.s2);
            const auto change_1 = hn::Sub(hn::Mul(c.a2, hn::Sub(less_low, hn::Mul(k, s.s1))), hn::Mul(c.a3, s.s1));
            const auto change_2 = hn::Add(hn::Mul(c.a2, s.s1), hn::Mul(c.a3, less_low));
            hn::StoreU(advance<Tag>(c, x, change_1, change_2, s), kTag, place);
        }
    }
}

/// Interleaved channels that run_ramp() has not processed yet.
struct Remaining {
    BiquadState* states;
    float* samples;
    std::size_t channels;
    std::size_t lanes;
};

/// Runs groups of kVectors vectors of channels while enough channels are left. The vectors of a group run in parallel,
/// which hides the latencies of the instructions.
template <class Tag, std::size_t kVectors>
HWY_INLINE void run_ramp_groups(const BiquadRamp& ramp, std::size_t stride, std::size_t width, std::size_t frames,
                                Remaining& remaining) {
    constexpr Tag kTag;
    constexpr std::size_t kLanesOfTag = hn::MaxLanes(Tag{});
    constexpr std::size_t kGroup = kVectors * kLanesOfTag;
    while (remaining.lanes >= kGroup) {
        const std::size_t channels = remaining.channels < kGroup ? remaining.channels : kGroup;
        float s1[kGroup] = {};
        float s2[kGroup] = {};
        for (std::size_t i = 0; i < channels; ++i) {
            s1[i] = remaining.states[i * stride].s1;
            s2[i] = remaining.states[i * stride].s2;
        }
        States<Tag> states[kVectors];
        for (std::size_t v = 0; v < kVectors; ++v) {
            states[v] = {hn::LoadU(kTag, s1 + v * kLanesOfTag), hn::LoadU(kTag, s2 + v * kLanesOfTag)};
        }
        if (ramp.drive != nullptr) {
            run_kept_feed<Tag, kVectors>(ramp, states, remaining.samples, width, frames);
        } else {
            run_other<Tag, kVectors>(ramp, states, remaining.samples, width, frames);
        }
        for (std::size_t v = 0; v < kVectors; ++v) {
            hn::StoreU(states[v].s1, kTag, s1 + v * kLanesOfTag);
            hn::StoreU(states[v].s2, kTag, s2 + v * kLanesOfTag);
        }
        for (std::size_t i = 0; i < channels; ++i)
            remaining.states[i * stride] = {flushed_state(s1[i]), flushed_state(s2[i])};
        remaining = {remaining.states + channels * stride, remaining.samples + kGroup, remaining.channels - channels,
                     remaining.lanes - kGroup};
    }
}

void run_ramp(const BiquadRamp& ramp, BiquadState* states, std::size_t stride, float* samples, std::size_t channels,
              std::size_t frames) RTA_NONBLOCKING {
    const std::size_t width = interleaved_width(channels);
    Remaining remaining{states, samples, channels, width};
    run_ramp_groups<Floats, 4>(ramp, stride, width, frames, remaining);
    run_ramp_groups<Floats, 2>(ramp, stride, width, frames, remaining);
    run_ramp_groups<Floats, 1>(ramp, stride, width, frames, remaining);
    run_ramp_groups<hn::CappedTag<float, 8>, 1>(ramp, stride, width, frames, remaining);
    run_ramp_groups<Quads, 1>(ramp, stride, width, frames, remaining);
    run_ramp_groups<hn::CappedTag<float, 1>, 1>(ramp, stride, width, frames, remaining);
}

}  // namespace

constexpr FilterKernels kFilterKernels{
    .chunk_frames = kChunk,
    .run = run,
    .limit = limit,
    .design = design,
    .interleave = interleave,
    .deinterleave = deinterleave,
    .run_ramp = run_ramp,
};

}  // namespace HWY_NAMESPACE
}  // namespace rta::dsp
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace rta::dsp {

// The baseline target, which every supported CPU can run.
constinit FilterKernels detail::g_filter_kernels = HWY_STATIC_DISPATCH(kFilterKernels);

void detail::use_filter_kernels([[maybe_unused]] std::string_view target) {
    g_filter_kernels = HWY_STATIC_DISPATCH(kFilterKernels);
#if (HWY_TARGETS & HWY_AVX3) && HWY_STATIC_TARGET != HWY_AVX3
    if (target == "avx3") g_filter_kernels = N_AVX3::kFilterKernels;
#endif
#if (HWY_TARGETS & HWY_AVX2) && HWY_STATIC_TARGET != HWY_AVX2
    if (target == "avx2") g_filter_kernels = N_AVX2::kFilterKernels;
#endif
}

}  // namespace rta::dsp

#endif  // HWY_ONCE
