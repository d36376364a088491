// SPDX-License-Identifier: MIT
// Compiled once for every SIMD target, like dsp/kernels.cpp.
//
// The transform of N real samples evaluates the polynomial x[0] + x[1] z + ... at the N-th roots of unity. Its
// remainders modulo the factors of z^N - 1 are polynomials of half the degree, which are divided again, until each is a
// bin of the spectrum. In place, a remainder is a block of S slots; a slot is a float of `re` and one of `im`.
//
// - Block 0 of each level is real: 2 S coefficients modulo z^2S - 1, the first half in `re`, the second one in `im`. It
//   is split into block 0 of the next level (modulo z^S - 1) and block 1 (modulo z^S + 1; as that is
//   (z^S/2 + i)(z^S/2 - i), and the remainders are conjugate, one of them is sufficient: S / 2 complex coefficients).
// - Block b > 0 is complex: S coefficients modulo z^S - w^2. It is split into the blocks 2 b (modulo z^S/2 - w) and
//   2 b + 1 (modulo z^S/2 + w): each is a +- w c, where a and c are the halves of the block.
//
// Thus the real input costs no pass of its own, and w = w(b) depends neither on the level nor on the number of samples:
// w(1) = e^(-2 pi i / 8), w(2 b) is the root of w(b), and w(2 b + 1) = -i w(2 b). The inverse transform merges the blocks
// in the opposite order.
//
// Blocks of at least four vectors are split by loops over vectors. A leaf, a block of four vectors, is split in
// registers: twice as others; then lanes are exchanged, so that each lane has a block of four slots, one of each vector.
// It is stored like that, which determines the order of the spectrum.
#include "dsp/fft_kernels.h"

#include <cstdint>

#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/fft_kernels.cpp"
#include <hwy/foreach_target.h>  // before highway.h
#include <hwy/highway.h>

#include "dsp/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace rta::dsp {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, kKernelFrames>;

constexpr std::size_t kLanes = hn::MaxLanes(Floats{});

/// Number of slots that are transformed completely before the next ones: they fit into the first-level cache.
constexpr std::size_t kCachedSlots = 2'048;

constexpr float kRootOfHalf = 0.707'106'781'186'547'524F;

/// A vector of complex numbers.
template <class D>
struct Complex {
    hn::Vec<D> re;
    hn::Vec<D> im;
};

template <class D>
HWY_INLINE Complex<D> load(const float* re, const float* im) {
    return {hn::LoadU(D{}, re), hn::LoadU(D{}, im)};
}
template <class D>
HWY_INLINE void store(const Complex<D>& x, float* re, float* im) {
    hn::StoreU(x.re, D{}, re);
    hn::StoreU(x.im, D{}, im);
}
template <class D>
HWY_INLINE Complex<D> sum(const Complex<D>& a, const Complex<D>& b) {
    return {hn::Add(a.re, b.re), hn::Add(a.im, b.im)};
}
template <class D>
HWY_INLINE Complex<D> difference(const Complex<D>& a, const Complex<D>& b) {
    return {hn::Sub(a.re, b.re), hn::Sub(a.im, b.im)};
}
template <class D>
HWY_INLINE Complex<D> times_i(const Complex<D>& x) {
    return {hn::Neg(x.im), x.re};
}
template <class D>
HWY_INLINE Complex<D> product(const Complex<D>& w, const Complex<D>& x) {
    return {hn::NegMulAdd(w.im, x.im, hn::Mul(w.re, x.re)), hn::MulAdd(w.im, x.re, hn::Mul(w.re, x.im))};
}
/// conj(w) * x
template <class D>
HWY_INLINE Complex<D> conjugate_product(const Complex<D>& w, const Complex<D>& x) {
    return {hn::MulAdd(w.im, x.im, hn::Mul(w.re, x.re)), hn::NegMulAdd(w.im, x.re, hn::Mul(w.re, x.im))};
}
/// Returns `x` in the lanes of `mask`, `y` in the others.
template <class D>
HWY_INLINE Complex<D> either(hn::Mask<D> mask, const Complex<D>& x, const Complex<D>& y) {
    return {hn::IfThenElse(mask, x.re, y.re), hn::IfThenElse(mask, x.im, y.im)};
}

/// a, c = a + w c, a - w c
template <class D>
HWY_INLINE void split(Complex<D>& a, Complex<D>& c, const Complex<D>& w) {
    const Complex<D> turned = product(w, c);
    c = difference(a, turned);
    a = sum(a, turned);
}
/// The same with -i w.
template <class D>
HWY_INLINE void split_turned(Complex<D>& a, Complex<D>& c, const Complex<D>& w) {
    const Complex<D> turned = product(w, c);
    c = {hn::Sub(a.re, turned.im), hn::Add(a.im, turned.re)};
    a = {hn::Add(a.re, turned.im), hn::Sub(a.im, turned.re)};
}
/// The opposite of split(), times 2.
template <class D>
HWY_INLINE void merge(Complex<D>& a, Complex<D>& c, const Complex<D>& w) {
    const Complex<D> turned = difference(a, c);
    a = sum(a, c);
    c = conjugate_product(w, turned);
}
/// The same with -i w.
template <class D>
HWY_INLINE void merge_turned(Complex<D>& a, Complex<D>& c, const Complex<D>& w) {
    // i (a - c), without a change of the sign
    const Complex<D> turned{hn::Sub(c.im, a.im), hn::Sub(a.re, c.re)};
    a = sum(a, c);
    c = conjugate_product(w, turned);
}

/// Splits quarters of block b into the blocks 4 b to 4 b + 3. `w` is w(b), `v` is w(2 b).
template <class D>
HWY_INLINE void split_twice(Complex<D> (&x)[4], const Complex<D>& w, const Complex<D>& v) {
    split<D>(x[0], x[2], w);
    split<D>(x[1], x[3], w);
    split<D>(x[0], x[1], v);
    split_turned<D>(x[2], x[3], v);
}
template <class D>
HWY_INLINE void merge_twice(Complex<D> (&x)[4], const Complex<D>& w, const Complex<D>& v) {
    merge<D>(x[0], x[1], v);
    merge_turned<D>(x[2], x[3], v);
    merge<D>(x[0], x[2], w);
    merge<D>(x[1], x[3], w);
}

/// Splits halves of block 0 into the blocks 0 and 1.
template <class D>
HWY_INLINE void split_real(Complex<D>& a, Complex<D>& c) {
    const Complex<D> x = a;
    const Complex<D> y = c;
    a = {hn::Add(x.re, x.im), hn::Add(y.re, y.im)};
    c = {hn::Sub(x.re, x.im), hn::Sub(y.im, y.re)};
}
template <class D>
HWY_INLINE void merge_real(Complex<D>& a, Complex<D>& c) {
    const Complex<D> x = a;
    const Complex<D> y = c;
    a = {hn::Add(x.re, y.re), hn::Sub(x.re, y.re)};
    c = {hn::Sub(x.im, y.im), hn::Add(x.im, y.im)};
}

/// Splits quarters of block 0 into the blocks 0 to 3.
template <class D>
HWY_INLINE void split_real_twice(Complex<D> (&x)[4]) {
    split_real<D>(x[0], x[2]);
    split_real<D>(x[1], x[3]);
    split_real<D>(x[0], x[1]);
    // w(1) = (1 - i) / sqrt(2)
    const hn::Vec<D> h = hn::Set(D{}, kRootOfHalf);
    const hn::Vec<D> re = hn::Add(x[3].re, x[3].im);
    const hn::Vec<D> im = hn::Sub(x[3].im, x[3].re);
    const Complex<D> a = x[2];
    x[2] = {hn::MulAdd(h, re, a.re), hn::MulAdd(h, im, a.im)};
    x[3] = {hn::NegMulAdd(h, re, a.re), hn::NegMulAdd(h, im, a.im)};
}
template <class D>
HWY_INLINE void merge_real_twice(Complex<D> (&x)[4]) {
    const hn::Vec<D> h = hn::Set(D{}, kRootOfHalf);
    const Complex<D> turned = difference(x[2], x[3]);
    x[2] = sum(x[2], x[3]);
    x[3] = {hn::Mul(h, hn::Sub(turned.re, turned.im)), hn::Mul(h, hn::Add(turned.re, turned.im))};
    merge_real<D>(x[0], x[1]);
    merge_real<D>(x[0], x[2]);
    merge_real<D>(x[1], x[3]);
}

/// Splits eighths of block 0 into the blocks 0 to 7.
template <class D>
HWY_INLINE void split_real_thrice(Complex<D> (&x)[8], const Complex<D>& w1, const Complex<D>& w2) {
    Complex<D> low[4] = {x[0], x[1], x[2], x[3]};
    Complex<D> high[4] = {x[4], x[5], x[6], x[7]};
    split_real<D>(low[0], high[0]);
    split_real<D>(low[1], high[1]);
    split_real<D>(low[2], high[2]);
    split_real<D>(low[3], high[3]);
    split_real_twice<D>(low);
    split_twice<D>(high, w1, w2);
    for (std::size_t i = 0; i < 4; ++i) {
        x[i] = low[i];
        x[i + 4] = high[i];
    }
}
template <class D>
HWY_INLINE void merge_real_thrice(Complex<D> (&x)[8], const Complex<D>& w1, const Complex<D>& w2) {
    Complex<D> low[4] = {x[0], x[1], x[2], x[3]};
    Complex<D> high[4] = {x[4], x[5], x[6], x[7]};
    merge_real_twice<D>(low);
    merge_twice<D>(high, w1, w2);
    merge_real<D>(low[0], high[0]);
    merge_real<D>(low[1], high[1]);
    merge_real<D>(low[2], high[2]);
    merge_real<D>(low[3], high[3]);
    for (std::size_t i = 0; i < 4; ++i) {
        x[i] = low[i];
        x[i + 4] = high[i];
    }
}

/// Twiddle factors of a block.
template <class D>
struct Twiddles {
    Complex<D> w;  ///< w(b)
    Complex<D> v;  ///< w(2 b)
};

constexpr std::size_t kLine = 4 * FftTables::kBlocksPerLine;

template <class D>
HWY_INLINE Twiddles<D> twiddles_of_block(const float* lines, std::size_t block) {
    constexpr std::size_t kStep = FftTables::kBlocksPerLine;
    const float* const at = lines + block / kStep * kLine + block % kStep;
    constexpr D kTag;
    return {{hn::Set(kTag, at[0]), hn::Set(kTag, at[kStep])},
            {hn::Set(kTag, at[2 * kStep]), hn::Set(kTag, at[3 * kStep])}};
}
template <class D>
HWY_INLINE Twiddles<D> twiddles_of_lanes(const float* leaf) {
    constexpr std::size_t kStep = hn::MaxLanes(D{});
    return {load<D>(leaf, leaf + kStep), load<D>(leaf + 2 * kStep, leaf + 3 * kStep)};
}

/// Two vectors as a pair of vectors of twice as wide lanes.
#if HWY_HAVE_FLOAT64
using Wide = double;
#else
using Wide = std::uint64_t;
#endif

/// Transposes 4 x 4 lanes within each 128 bits.
template <class D>
HWY_INLINE void transpose_lanes(hn::Vec<D>& a, hn::Vec<D>& b, hn::Vec<D>& c, hn::Vec<D>& d) {
    constexpr D kTag;
    constexpr hn::Repartition<Wide, D> kWide;
    const auto ab_low = hn::BitCast(kWide, hn::InterleaveLower(kTag, a, b));
    const auto ab_high = hn::BitCast(kWide, hn::InterleaveUpper(kTag, a, b));
    const auto cd_low = hn::BitCast(kWide, hn::InterleaveLower(kTag, c, d));
    const auto cd_high = hn::BitCast(kWide, hn::InterleaveUpper(kTag, c, d));
    a = hn::BitCast(kTag, hn::InterleaveLower(kWide, ab_low, cd_low));
    b = hn::BitCast(kTag, hn::InterleaveUpper(kWide, ab_low, cd_low));
    c = hn::BitCast(kTag, hn::InterleaveLower(kWide, ab_high, cd_high));
    d = hn::BitCast(kTag, hn::InterleaveUpper(kWide, ab_high, cd_high));
}
template <class D>
HWY_INLINE void transpose_lanes(Complex<D> (&x)[4]) {
    transpose_lanes<D>(x[0].re, x[1].re, x[2].re, x[3].re);
    transpose_lanes<D>(x[0].im, x[1].im, x[2].im, x[3].im);
}

#if HWY_TARGET == HWY_AVX3
/// Transposes 4 x 4 groups of four lanes.
template <class D>
HWY_INLINE void transpose_groups(hn::Vec<D>& a, hn::Vec<D>& b, hn::Vec<D>& c, hn::Vec<D>& d) {
    // Highway 1.0 has no such permutation.
    const __m512 ab_low = _mm512_shuffle_f32x4(a.raw, b.raw, 0x44);
    const __m512 ab_high = _mm512_shuffle_f32x4(a.raw, b.raw, 0xEE);
    const __m512 cd_low = _mm512_shuffle_f32x4(c.raw, d.raw, 0x44);
    const __m512 cd_high = _mm512_shuffle_f32x4(c.raw, d.raw, 0xEE);
    a = hn::Vec<D>{_mm512_shuffle_f32x4(ab_low, cd_low, 0x88)};
    b = hn::Vec<D>{_mm512_shuffle_f32x4(ab_low, cd_low, 0xDD)};
    c = hn::Vec<D>{_mm512_shuffle_f32x4(ab_high, cd_high, 0x88)};
    d = hn::Vec<D>{_mm512_shuffle_f32x4(ab_high, cd_high, 0xDD)};
}
template <class D>
HWY_INLINE void transpose_groups(Complex<D> (&x)[4]) {
    transpose_groups<D>(x[0].re, x[1].re, x[2].re, x[3].re);
    transpose_groups<D>(x[0].im, x[1].im, x[2].im, x[3].im);
}
#endif

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
/// a, b = the lower halves of a and b, the upper halves of a and b
template <class D>
HWY_INLINE void exchange_halves(Complex<D>& a, Complex<D>& b) {
    constexpr D kTag;
    const Complex<D> x = a;
    a = {hn::ConcatLowerLower(kTag, b.re, x.re), hn::ConcatLowerLower(kTag, b.im, x.im)};
    b = {hn::ConcatUpperUpper(kTag, b.re, x.re), hn::ConcatUpperUpper(kTag, b.im, x.im)};
}
template <class D>
HWY_INLINE void exchange_halves(Complex<D> (&x)[4]) {
    exchange_halves<D>(x[0], x[1]);
    exchange_halves<D>(x[2], x[3]);
}

/// Returns the four floats at `from`, of which each group of four lanes of the result has one; the first is `first`.
template <class D>
HWY_INLINE hn::Vec<D> one_per_group(const float* from, int first) {
    constexpr D kTag;
    constexpr hn::RebindToSigned<D> kInts;
    const auto groups = hn::ShiftRight<2>(hn::Iota(kInts, 0));
    const auto indices = hn::IndicesFromVec(kTag, hn::Add(groups, hn::Set(kInts, first)));
    return hn::TableLookupLanes(hn::LoadDup128(kTag, from), indices);
}
template <class D>
HWY_INLINE Complex<D> one_per_group_of(const float* from, int first) {
    return {one_per_group<D>(from, first), one_per_group<D>(from + FftTables::kBlocksPerLine, first)};
}
#endif

/// Splits four blocks, one in each vector, until each lane has a block of four slots. `line` is of these blocks.
template <class D, bool kFirst>
HWY_INLINE void split_vectors(Complex<D> (&x)[4], [[maybe_unused]] const float* line) {
    [[maybe_unused]] constexpr std::size_t kWidth = hn::MaxLanes(D{});
#if HWY_TARGET == HWY_AVX3
    if constexpr (kWidth == 16) {
        transpose_groups<D>(x);
        const Complex<D> w = one_per_group_of<D>(line, 0);
        const Complex<D> v = one_per_group_of<D>(line + kLine / 2, 0);
        if constexpr (kFirst) {
            Complex<D> real[4] = {x[0], x[1], x[2], x[3]};
            split_real_twice<D>(real);
            split_twice<D>(x, w, v);
            const auto mask = hn::FirstN(D{}, 4);
            for (std::size_t i = 0; i < 4; ++i) x[i] = either<D>(mask, real[i], x[i]);
        } else {
            split_twice<D>(x, w, v);
        }
    }
#endif
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
    if constexpr (kWidth == 8) {
        exchange_halves<D>(x);
        const Complex<D> w = one_per_group_of<D>(line, 0);
        const Complex<D> w_next = one_per_group_of<D>(line, 2);
        if constexpr (kFirst) {
            Complex<D> a = x[0];
            Complex<D> c = x[1];
            split_real<D>(a, c);
            split<D>(x[0], x[1], w);
            const auto mask = hn::FirstN(D{}, 4);
            x[0] = either<D>(mask, a, x[0]);
            x[1] = either<D>(mask, c, x[1]);
        } else {
            split<D>(x[0], x[1], w);
        }
        split<D>(x[2], x[3], w_next);
    }
#endif
    transpose_lanes<D>(x);
}
template <class D, bool kFirst>
HWY_INLINE void merge_vectors(Complex<D> (&x)[4], [[maybe_unused]] const float* line) {
    [[maybe_unused]] constexpr std::size_t kWidth = hn::MaxLanes(D{});
    transpose_lanes<D>(x);
#if HWY_TARGET == HWY_AVX3
    if constexpr (kWidth == 16) {
        const Complex<D> w = one_per_group_of<D>(line, 0);
        const Complex<D> v = one_per_group_of<D>(line + kLine / 2, 0);
        if constexpr (kFirst) {
            Complex<D> real[4] = {x[0], x[1], x[2], x[3]};
            merge_real_twice<D>(real);
            merge_twice<D>(x, w, v);
            const auto mask = hn::FirstN(D{}, 4);
            for (std::size_t i = 0; i < 4; ++i) x[i] = either<D>(mask, real[i], x[i]);
        } else {
            merge_twice<D>(x, w, v);
        }
        transpose_groups<D>(x);
    }
#endif
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
    if constexpr (kWidth == 8) {
        const Complex<D> w = one_per_group_of<D>(line, 0);
        const Complex<D> w_next = one_per_group_of<D>(line, 2);
        if constexpr (kFirst) {
            Complex<D> a = x[0];
            Complex<D> c = x[1];
            merge_real<D>(a, c);
            merge<D>(x[0], x[1], w);
            const auto mask = hn::FirstN(D{}, 4);
            x[0] = either<D>(mask, a, x[0]);
            x[1] = either<D>(mask, c, x[1]);
        } else {
            merge<D>(x[0], x[1], w);
        }
        merge<D>(x[2], x[3], w_next);
        exchange_halves<D>(x);
    }
#endif
}

/// Replaces slot 0 by the sum and the difference of its two numbers.
template <class D>
HWY_INLINE Complex<D> sum_and_difference_of_first(const Complex<D>& x) {
    return either<D>(hn::FirstN(D{}, 1), {hn::Add(x.re, x.im), hn::Sub(x.re, x.im)}, x);
}

/// The opposite needs a factor: in other slots, as many levels are merged, except the one within slot 0.
template <class D>
HWY_INLINE Complex<D> half_of_first(const Complex<D>& x) {
    const hn::Vec<D> factor = hn::IfThenElse(hn::FirstN(D{}, 1), hn::Set(D{}, 0.5F), hn::Set(D{}, 1.0F));
    return {hn::Mul(x.re, factor), hn::Mul(x.im, factor)};
}

/// Transforms leaf `leaf`. `from_re` may be `re`, and `from_im` may be `im`.
template <class D, bool kFirst>
HWY_INLINE void split_leaf(const FftTables& tables, std::size_t leaf, const float* from_re, const float* from_im,
                           float* re, float* im) {
    constexpr std::size_t kWidth = hn::MaxLanes(D{});
    Complex<D> x[4];
    for (std::size_t i = 0; i < 4; ++i) x[i] = load<D>(from_re + i * kWidth, from_im + i * kWidth);
    if constexpr (kFirst) {
        split_real_twice<D>(x);
    } else {
        const Twiddles<D> t = twiddles_of_block<D>(tables.lines, leaf);
        split_twice<D>(x, t.w, t.v);
    }
    split_vectors<D, kFirst>(x, tables.lines + leaf * kLine);
    const Twiddles<D> t = twiddles_of_lanes<D>(tables.leaves + leaf * 4 * kWidth);
    if constexpr (kFirst) {
        Complex<D> real[4] = {x[0], x[1], x[2], x[3]};
        split_real_twice<D>(real);
        split_twice<D>(x, t.w, t.v);
        const auto mask = hn::FirstN(D{}, 1);
        for (std::size_t i = 0; i < 4; ++i) x[i] = either<D>(mask, real[i], x[i]);
        x[0] = sum_and_difference_of_first<D>(x[0]);
    } else {
        split_twice<D>(x, t.w, t.v);
    }
    for (std::size_t i = 0; i < 4; ++i) store<D>(x[i], re + i * kWidth, im + i * kWidth);
}
template <class D, bool kFirst>
HWY_INLINE void merge_leaf(const FftTables& tables, std::size_t leaf, const float* from_re, const float* from_im,
                           float* re, float* im) {
    constexpr std::size_t kWidth = hn::MaxLanes(D{});
    Complex<D> x[4];
    for (std::size_t i = 0; i < 4; ++i) x[i] = load<D>(from_re + i * kWidth, from_im + i * kWidth);
    const Twiddles<D> t = twiddles_of_lanes<D>(tables.leaves + leaf * 4 * kWidth);
    if constexpr (kFirst) {
        x[0] = half_of_first<D>(sum_and_difference_of_first<D>(x[0]));
        Complex<D> real[4] = {x[0], x[1], x[2], x[3]};
        merge_real_twice<D>(real);
        merge_twice<D>(x, t.w, t.v);
        const auto mask = hn::FirstN(D{}, 1);
        for (std::size_t i = 0; i < 4; ++i) x[i] = either<D>(mask, real[i], x[i]);
    } else {
        merge_twice<D>(x, t.w, t.v);
    }
    merge_vectors<D, kFirst>(x, tables.lines + leaf * kLine);
    if constexpr (kFirst) {
        merge_real_twice<D>(x);
    } else {
        const Twiddles<D> of_block = twiddles_of_block<D>(tables.lines, leaf);
        merge_twice<D>(x, of_block.w, of_block.v);
    }
    for (std::size_t i = 0; i < 4; ++i) store<D>(x[i], re + i * kWidth, im + i * kWidth);
}

/// A number of consecutive blocks of one level, in place.
struct Blocks {
    std::size_t first;
    std::size_t count;
    std::size_t slots;  ///< of each
    float* re;
    float* im;
};

HWY_INLINE Blocks next_level(const Blocks& blocks, std::size_t parts) {
    return {blocks.first * parts, blocks.count * parts, blocks.slots / parts, blocks.re, blocks.im};
}
HWY_INLINE Blocks block_of(const Blocks& blocks, std::size_t i) {
    return {blocks.first + i, 1, blocks.slots, blocks.re + i * blocks.slots, blocks.im + i * blocks.slots};
}

/// Splits a block other than block 0 into four.
template <class D>
HWY_INLINE void split_block(const FftTables& tables, std::size_t block, std::size_t slots, float* re, float* im) {
    constexpr std::size_t kWidth = hn::MaxLanes(D{});
    const std::size_t part = slots / 4;
    const Twiddles<D> t = twiddles_of_block<D>(tables.lines, block);
    for (std::size_t n = 0; n < part; n += kWidth) {
        Complex<D> x[4];
        for (std::size_t i = 0; i < 4; ++i) x[i] = load<D>(re + n + i * part, im + n + i * part);
        split_twice<D>(x, t.w, t.v);
        for (std::size_t i = 0; i < 4; ++i) store<D>(x[i], re + n + i * part, im + n + i * part);
    }
}
template <class D>
HWY_INLINE void merge_block(const FftTables& tables, std::size_t block, std::size_t slots, float* re, float* im) {
    constexpr std::size_t kWidth = hn::MaxLanes(D{});
    const std::size_t part = slots / 4;
    const Twiddles<D> t = twiddles_of_block<D>(tables.lines, block);
    for (std::size_t n = 0; n < part; n += kWidth) {
        Complex<D> x[4];
        for (std::size_t i = 0; i < 4; ++i) x[i] = load<D>(re + n + i * part, im + n + i * part);
        merge_twice<D>(x, t.w, t.v);
        for (std::size_t i = 0; i < 4; ++i) store<D>(x[i], re + n + i * part, im + n + i * part);
    }
}

/// Splits block 0 into kParts blocks, or merges it from them.
template <class D, std::size_t kParts, bool kMerge>
HWY_INLINE void pass_real(const FftTables& tables, std::size_t slots, const float* from_re, const float* from_im,
                          float* re, float* im) {
    constexpr std::size_t kWidth = hn::MaxLanes(D{});
    const std::size_t part = slots / kParts;
    [[maybe_unused]] const Twiddles<D> t = twiddles_of_block<D>(tables.lines, 1);
    for (std::size_t n = 0; n < part; n += kWidth) {
        Complex<D> x[kParts];
        for (std::size_t i = 0; i < kParts; ++i) x[i] = load<D>(from_re + n + i * part, from_im + n + i * part);
        if constexpr (kParts == 8) {
            if constexpr (kMerge) {
                merge_real_thrice<D>(x, t.w, t.v);
            } else {
                split_real_thrice<D>(x, t.w, t.v);
            }
        } else if constexpr (kParts == 4) {
            if constexpr (kMerge) {
                merge_real_twice<D>(x);
            } else {
                split_real_twice<D>(x);
            }
        } else {
            if constexpr (kMerge) {
                merge_real<D>(x[0], x[1]);
            } else {
                split_real<D>(x[0], x[1]);
            }
        }
        for (std::size_t i = 0; i < kParts; ++i) store<D>(x[i], re + n + i * part, im + n + i * part);
    }
}

/// Transforms blocks whose size is that of a leaf or a power of four larger. Recursive: log4(slots) deep.
template <class D>
void split_blocks(const FftTables& tables, const Blocks& blocks) RTA_NONBLOCKING {
    constexpr std::size_t kLeaf = 4 * hn::MaxLanes(D{});
    if (blocks.count > 1 && blocks.count * blocks.slots > kCachedSlots) {
        for (std::size_t i = 0; i < blocks.count; ++i) split_blocks<D>(tables, block_of(blocks, i));
        return;
    }
    float* re = blocks.re;
    float* im = blocks.im;
    std::size_t block = blocks.first;
    const std::size_t end = blocks.first + blocks.count;
    if (blocks.slots == kLeaf) {
        if (block == 0) {
            split_leaf<D, true>(tables, 0, re, im, re, im);
            ++block;
            re += kLeaf;
            im += kLeaf;
        }
        for (; block < end; ++block, re += kLeaf, im += kLeaf) split_leaf<D, false>(tables, block, re, im, re, im);
        return;
    }
    if (block == 0) {
        pass_real<D, 4, false>(tables, blocks.slots, re, im, re, im);
        ++block;
        re += blocks.slots;
        im += blocks.slots;
    }
    for (; block < end; ++block, re += blocks.slots, im += blocks.slots) {
        split_block<D>(tables, block, blocks.slots, re, im);
    }
    split_blocks<D>(tables, next_level(blocks, 4));
}
template <class D>
void merge_blocks(const FftTables& tables, const Blocks& blocks) RTA_NONBLOCKING {
    constexpr std::size_t kLeaf = 4 * hn::MaxLanes(D{});
    if (blocks.count > 1 && blocks.count * blocks.slots > kCachedSlots) {
        for (std::size_t i = 0; i < blocks.count; ++i) merge_blocks<D>(tables, block_of(blocks, i));
        return;
    }
    float* re = blocks.re;
    float* im = blocks.im;
    std::size_t block = blocks.first;
    const std::size_t end = blocks.first + blocks.count;
    if (blocks.slots == kLeaf) {
        if (block == 0) {
            merge_leaf<D, true>(tables, 0, re, im, re, im);
            ++block;
            re += kLeaf;
            im += kLeaf;
        }
        for (; block < end; ++block, re += kLeaf, im += kLeaf) merge_leaf<D, false>(tables, block, re, im, re, im);
        return;
    }
    merge_blocks<D>(tables, next_level(blocks, 4));
    if (block == 0) {
        pass_real<D, 4, true>(tables, blocks.slots, re, im, re, im);
        ++block;
        re += blocks.slots;
        im += blocks.slots;
    }
    for (; block < end; ++block, re += blocks.slots, im += blocks.slots) {
        merge_block<D>(tables, block, blocks.slots, re, im);
    }
}

/// Returns into how many blocks block 0 is split first: the others are then powers of four larger than a leaf.
HWY_INLINE std::size_t first_parts(std::size_t slots, std::size_t leaf) {
    if (slots == 2 * leaf) return 2;
    bool odd = false;
    for (std::size_t size = leaf; size < slots; size *= 2) odd = !odd;
    return odd ? 8 : 4;
}

template <class D>
HWY_INLINE void forward_with(const FftTables& tables, const float* in, float* re, float* im) {
    constexpr std::size_t kLeaf = 4 * hn::MaxLanes(D{});
    const std::size_t slots = tables.slots;
    if (slots == kLeaf) return split_leaf<D, true>(tables, 0, in, in + slots, re, im);
    const std::size_t parts = first_parts(slots, kLeaf);
    if (parts == 8) {
        pass_real<D, 8, false>(tables, slots, in, in + slots, re, im);
    } else if (parts == 4) {
        pass_real<D, 4, false>(tables, slots, in, in + slots, re, im);
    } else {
        pass_real<D, 2, false>(tables, slots, in, in + slots, re, im);
    }
    split_blocks<D>(tables, {0, parts, slots / parts, re, im});
}
template <class D>
HWY_INLINE void inverse_with(const FftTables& tables, float* re, float* im, float* out) {
    constexpr std::size_t kLeaf = 4 * hn::MaxLanes(D{});
    const std::size_t slots = tables.slots;
    if (slots == kLeaf) return merge_leaf<D, true>(tables, 0, re, im, out, out + slots);
    const std::size_t parts = first_parts(slots, kLeaf);
    merge_blocks<D>(tables, {0, parts, slots / parts, re, im});
    if (parts == 8) {
        pass_real<D, 8, true>(tables, slots, re, im, out, out + slots);
    } else if (parts == 4) {
        pass_real<D, 4, true>(tables, slots, re, im, out, out + slots);
    } else {
        pass_real<D, 2, true>(tables, slots, re, im, out, out + slots);
    }
}

std::size_t lanes(std::size_t slots) RTA_NONBLOCKING { return slots / 4 < kLanes ? slots / 4 : kLanes; }

std::size_t block_of_lane(std::size_t lanes, std::size_t lane) RTA_NONBLOCKING {
    if (lanes != 8) return lane;
    // Two blocks of each half, then the other two: see exchange_halves().
    const std::size_t pair = lane % 4;
    return pair / 2 * 4 + lane / 4 * 2 + pair % 2;
}

/// Vectors for the smallest transforms, each of which is a single leaf.
using Eights = hn::CappedTag < float, kLanes<8 ? kLanes : 8>;
using Fours = hn::CappedTag<float, 4>;

void forward(const FftTables& tables, const float* in, float* re, float* im) RTA_NONBLOCKING {
    const float* const half = in + tables.slots;
    if (tables.slots >= 4 * kLanes) return forward_with<Floats>(tables, in, re, im);
    if (tables.slots == 4 * hn::MaxLanes(Eights{})) return split_leaf<Eights, true>(tables, 0, in, half, re, im);
    split_leaf<Fours, true>(tables, 0, in, half, re, im);
}

void inverse(const FftTables& tables, float* re, float* im, float* out) RTA_NONBLOCKING {
    float* const half = out + tables.slots;
    if (tables.slots >= 4 * kLanes) return inverse_with<Floats>(tables, re, im, out);
    if (tables.slots == 4 * hn::MaxLanes(Eights{})) return merge_leaf<Eights, true>(tables, 0, re, im, out, half);
    merge_leaf<Fours, true>(tables, 0, re, im, out, half);
}

/// Processes kVectors vectors of slots, whose sums stay in registers.
template <std::size_t kVectors>
HWY_INLINE void multiply_group(const FftProduct* products, std::size_t count, std::size_t slot, float* re, float* im) {
    Complex<Floats> sums[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) {
        sums[v] = load<Floats>(re + slot + v * kLanes, im + slot + v * kLanes);
    }
    for (std::size_t i = 0; i < count; ++i) {
        const FftProduct& product = products[i];
        for (std::size_t v = 0; v < kVectors; ++v) {
            const std::size_t at = slot + v * kLanes;
            const Complex<Floats> a = load<Floats>(product.a_re + at, product.a_im + at);
            const Complex<Floats> b = load<Floats>(product.b_re + at, product.b_im + at);
            sums[v].re = hn::NegMulAdd(a.im, b.im, hn::MulAdd(a.re, b.re, sums[v].re));
            sums[v].im = hn::MulAdd(a.im, b.re, hn::MulAdd(a.re, b.im, sums[v].im));
        }
    }
    for (std::size_t v = 0; v < kVectors; ++v) {
        store<Floats>(sums[v], re + slot + v * kLanes, im + slot + v * kLanes);
    }
}

void multiply_accumulate(const FftProduct* products, std::size_t count, float* re, float* im,
                         std::size_t slots) RTA_NONBLOCKING {
    float first_re = re[0];
    float first_im = im[0];
    for (std::size_t i = 0; i < count; ++i) {
        first_re += products[i].a_re[0] * products[i].b_re[0];
        first_im += products[i].a_im[0] * products[i].b_im[0];
    }
    constexpr std::size_t kVectors = 4;
    std::size_t slot = 0;
    for (; slot + kVectors * kLanes <= slots; slot += kVectors * kLanes) {
        multiply_group<kVectors>(products, count, slot, re, im);
    }
    for (; slot < slots; slot += kLanes) multiply_group<1>(products, count, slot, re, im);
    re[0] = first_re;
    im[0] = first_im;
}

}  // namespace

constexpr FftKernels kFftKernels{
    .lanes = lanes,
    .block_of_lane = block_of_lane,
    .forward = forward,
    .inverse = inverse,
    .multiply_accumulate = multiply_accumulate,
};

}  // namespace HWY_NAMESPACE
}  // namespace rta::dsp
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace rta::dsp {

// The baseline target, which every supported CPU can run.
constinit const FftKernels* detail::g_fft_kernels = &HWY_STATIC_DISPATCH(kFftKernels);

void detail::use_fft_kernels([[maybe_unused]] std::string_view target) {
    g_fft_kernels = &HWY_STATIC_DISPATCH(kFftKernels);
#if (HWY_TARGETS & HWY_AVX3) && HWY_STATIC_TARGET != HWY_AVX3
    if (target == "avx3") g_fft_kernels = &N_AVX3::kFftKernels;
#endif
#if (HWY_TARGETS & HWY_AVX2) && HWY_STATIC_TARGET != HWY_AVX2
    if (target == "avx2") g_fft_kernels = &N_AVX2::kFftKernels;
#endif
}

}  // namespace rta::dsp

#endif  // HWY_ONCE
