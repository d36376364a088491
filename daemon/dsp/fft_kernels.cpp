// SPDX-License-Identifier: MIT
// Compiled once for every SIMD target, like dsp/kernels.cpp.
//
// The transform of N real samples evaluates the polynomial x[0] + x[1] z + ... at the N-th roots of unity. Its
// remainders modulo the factors of z^N - 1 are polynomials of half the degree, which are divided again, until each is a
// bin of the spectrum. In place, a remainder is a block of S slots; a slot is a float of `re` and one of `im`.
//
// - Block 0 of each level is real: 2 S coefficients modulo z^2S - 1, the first half in `re`, the second one in `im`. It
//   is split into block 0 of the next level (modulo z^S - 1) and block 1 (modulo z^S + 1; as that is
//   (z^S/2 - i)(z^S/2 + i), and the remainders are conjugate, the first one is sufficient: S / 2 complex coefficients).
// - Block b > 0 is complex: S coefficients modulo z^S - w^2. It is split into the blocks 2 b (modulo z^S/2 - w) and
//   2 b + 1 (modulo z^S/2 + w): each is a +- w c, where a and c are the halves of the block.
//
// Thus the real input costs no pass of its own, and w = w(b) depends neither on the level nor on the number of samples:
// w(1) = e^(2 pi i / 8), w(2 b) is the root of w(b), and w(2 b + 1) = -i w(2 b). Two levels at a time need w(b), w(2 b)
// and their product. The inverse transform merges the blocks in the opposite order.
//
// Blocks are split by loops over vectors, down to leaves of four vectors. A leaf is split in registers: once as others,
// into blocks of one vector each; then lanes are exchanged, until each lane has a block of four slots, one of each
// vector; then these are split. It is stored like that, which determines the order of the spectrum.
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

constexpr std::size_t kLine = FftTables::kRows * FftTables::kBlocksPerLine;

constexpr float kRootOfHalf = 0.707'106'781'186'547'524F;

/// From this number on, eighths of a signal, and often quarters of `re` and `im`, have the same place in the first-level
/// cache, which has room for eight lines there. A pass between signal and spectrum then processes halves, not quarters.
constexpr std::size_t kManySlots = 4'096;

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
/// a + i b
template <class D>
HWY_INLINE Complex<D> plus_i_times(const Complex<D>& a, const Complex<D>& b) {
    return {hn::Sub(a.re, b.im), hn::Add(a.im, b.re)};
}
/// a - i b
template <class D>
HWY_INLINE Complex<D> minus_i_times(const Complex<D>& a, const Complex<D>& b) {
    return {hn::Add(a.re, b.im), hn::Sub(a.im, b.re)};
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
/// The opposite of split(), times 2.
template <class D>
HWY_INLINE void merge(Complex<D>& a, Complex<D>& c, const Complex<D>& w) {
    const Complex<D> turned = difference(a, c);
    a = sum(a, c);
    c = conjugate_product(w, turned);
}

/// Twiddle factors of block b.
template <class D>
struct Twiddles {
    Complex<D> w;  ///< w(b)
    Complex<D> v;  ///< w(2 b)
    Complex<D> u;  ///< their product
};

/// Splits halves of block 0 into the blocks 0 and 1.
template <class D>
HWY_INLINE void split_real(Complex<D>& a, Complex<D>& c) {
    const Complex<D> x = a;
    const Complex<D> y = c;
    a = {hn::Add(x.re, x.im), hn::Add(y.re, y.im)};
    c = {hn::Sub(x.re, x.im), hn::Sub(y.re, y.im)};
}
template <class D>
HWY_INLINE void merge_real(Complex<D>& a, Complex<D>& c) {
    const Complex<D> x = a;
    const Complex<D> y = c;
    a = {hn::Add(x.re, y.re), hn::Sub(x.re, y.re)};
    c = {hn::Add(x.im, y.im), hn::Sub(x.im, y.im)};
}

/// Splits quarters of block 0 into the blocks 0 to 3.
template <class D>
HWY_INLINE void split_real_twice(Complex<D> (&x)[4]) {
    split_real<D>(x[0], x[2]);
    split_real<D>(x[1], x[3]);
    split_real<D>(x[0], x[1]);
    // w(1) = (1 + i) / sqrt(2)
    const hn::Vec<D> h = hn::Set(D{}, kRootOfHalf);
    const hn::Vec<D> re = hn::Sub(x[3].re, x[3].im);
    const hn::Vec<D> im = hn::Add(x[3].re, x[3].im);
    const Complex<D> a = x[2];
    x[2] = {hn::MulAdd(h, re, a.re), hn::MulAdd(h, im, a.im)};
    x[3] = {hn::NegMulAdd(h, re, a.re), hn::NegMulAdd(h, im, a.im)};
}
template <class D>
HWY_INLINE void merge_real_twice(Complex<D> (&x)[4]) {
    const hn::Vec<D> h = hn::Set(D{}, kRootOfHalf);
    const Complex<D> turned = difference(x[2], x[3]);
    x[2] = sum(x[2], x[3]);
    x[3] = {hn::Mul(h, hn::Add(turned.re, turned.im)), hn::Mul(h, hn::Sub(turned.im, turned.re))};
    merge_real<D>(x[0], x[1]);
    merge_real<D>(x[0], x[2]);
    merge_real<D>(x[1], x[3]);
}

/// a, b = b, a in the first kRealLanes lanes
template <class D, std::size_t kRealLanes>
HWY_INLINE void exchange(hn::Vec<D>& a, hn::Vec<D>& b) {
    if constexpr (kRealLanes > 0) {
        const auto mask = hn::FirstN(D{}, kRealLanes);
        const hn::Vec<D> x = a;
        a = hn::IfThenElse(mask, b, a);
        b = hn::IfThenElse(mask, x, b);
    }
}

/// i w(1) in the first kRealLanes lanes, 1 in the others.
template <class D, std::size_t kRealLanes>
HWY_INLINE Complex<D> factor_of_block_1() {
    const auto mask = hn::FirstN(D{}, kRealLanes);
    return {hn::IfThenElse(mask, hn::Set(D{}, -kRootOfHalf), hn::Set(D{}, 1.0F)),
            hn::IfThenElse(mask, hn::Set(D{}, kRootOfHalf), hn::Zero(D{}))};
}

/// Splits quarters of a block b > 0 into the blocks 4 b to 4 b + 3. In the first kRealLanes lanes, the block is block 0: when
/// some of its numbers have changed places, they are split as others, because w(0) is 1; only the factor of block 1 differs.
template <class D, std::size_t kRealLanes = 0>
HWY_INLINE void split_twice(Complex<D> (&x)[4], const Twiddles<D>& t) {
    exchange<D, kRealLanes>(x[0].im, x[2].re);
    exchange<D, kRealLanes>(x[1].im, x[3].re);
    // All products first: they do not depend on each other.
    const Complex<D> x1 = product(t.v, x[1]);
    const Complex<D> x2 = product(t.w, x[2]);
    const Complex<D> x3 = product(t.u, x[3]);
    Complex<D> even_sum = sum(x[0], x2);
    const Complex<D> even_difference = difference(x[0], x2);
    Complex<D> odd_sum = sum(x1, x3);
    Complex<D> odd_difference = difference(x1, x3);
    exchange<D, kRealLanes>(even_sum.im, odd_sum.re);
    if constexpr (kRealLanes > 0) odd_difference = product(factor_of_block_1<D, kRealLanes>(), odd_difference);
    x[0] = sum(even_sum, odd_sum);
    x[1] = difference(even_sum, odd_sum);
    x[2] = minus_i_times(even_difference, odd_difference);
    x[3] = plus_i_times(even_difference, odd_difference);
}
/// The opposite, times 4.
template <class D, std::size_t kRealLanes = 0>
HWY_INLINE void merge_twice(Complex<D> (&x)[4], const Twiddles<D>& t) {
    Complex<D> low_sum = sum(x[0], x[1]);
    Complex<D> low_difference = difference(x[0], x[1]);
    const Complex<D> high_sum = sum(x[2], x[3]);
    Complex<D> high_difference = difference(x[2], x[3]);
    exchange<D, kRealLanes>(low_sum.im, low_difference.re);
    if constexpr (kRealLanes > 0) {
        high_difference = conjugate_product(factor_of_block_1<D, kRealLanes>(), high_difference);
    }
    x[0] = sum(low_sum, high_sum);
    x[1] = conjugate_product(t.v, plus_i_times(low_difference, high_difference));
    x[2] = conjugate_product(t.w, difference(low_sum, high_sum));
    x[3] = conjugate_product(t.u, minus_i_times(low_difference, high_difference));
    exchange<D, kRealLanes>(x[0].im, x[2].re);
    exchange<D, kRealLanes>(x[1].im, x[3].re);
}

/// Returns what a line has for one block, in all lanes.
template <class D>
HWY_INLINE Complex<D> broadcast(const float* from) {
    return {hn::Set(D{}, from[0]), hn::Set(D{}, from[FftTables::kBlocksPerLine])};
}
template <class D>
HWY_INLINE Twiddles<D> twiddles_of_block(const float* lines, std::size_t block) {
    constexpr std::size_t kStep = FftTables::kBlocksPerLine;
    const float* const at = lines + block / kStep * kLine + block % kStep;
    return {broadcast<D>(at), broadcast<D>(at + 2 * kStep), broadcast<D>(at + 4 * kStep)};
}
template <class D>
HWY_INLINE Twiddles<D> twiddles_of_lanes(const float* leaf) {
    constexpr std::size_t kStep = hn::MaxLanes(D{});
    return {load<D>(leaf, leaf + kStep), load<D>(leaf + 2 * kStep, leaf + 3 * kStep),
            load<D>(leaf + 4 * kStep, leaf + 5 * kStep)};
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
template <class D>
HWY_INLINE Twiddles<D> twiddles_of_groups(const float* line) {
    constexpr std::size_t kStep = 2 * FftTables::kBlocksPerLine;
    return {one_per_group_of<D>(line, 0), one_per_group_of<D>(line + kStep, 0),
            one_per_group_of<D>(line + 2 * kStep, 0)};
}
#endif

/// Splits four blocks, one in each vector, until each lane has a block of four slots. `line` is of these blocks.
template <class D, bool kFirst>
HWY_INLINE void split_vectors(Complex<D> (&x)[4], [[maybe_unused]] const float* line) {
    [[maybe_unused]] constexpr std::size_t kWidth = hn::MaxLanes(D{});
#if HWY_TARGET == HWY_AVX3
    if constexpr (kWidth == 16) {
        transpose_groups<D>(x);
        const Twiddles<D> t = twiddles_of_groups<D>(line);
        split_twice<D, kFirst ? 4 : 0>(x, t);
    }
#endif
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
    if constexpr (kWidth == 8) {
        exchange_halves<D>(x);
        const Complex<D> w = one_per_group_of<D>(line, 0);
        const Complex<D> w_next = one_per_group_of<D>(line, 2);
        exchange<D, kFirst ? 4 : 0>(x[0].im, x[1].re);
        split<D>(x[0], x[1], w);
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
        const Twiddles<D> t = twiddles_of_groups<D>(line);
        merge_twice<D, kFirst ? 4 : 0>(x, t);
        transpose_groups<D>(x);
    }
#endif
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
    if constexpr (kWidth == 8) {
        const Complex<D> w = one_per_group_of<D>(line, 0);
        const Complex<D> w_next = one_per_group_of<D>(line, 2);
        merge<D>(x[0], x[1], w);
        exchange<D, kFirst ? 4 : 0>(x[0].im, x[1].re);
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

/// Splits the vectors of leaf `leaf` completely. kFirst: it is leaf 0.
template <class D, bool kFirst>
HWY_INLINE void split_leaf(const FftTables& tables, std::size_t leaf, Complex<D> (&x)[4]) {
    if constexpr (kFirst) {
        split_real_twice<D>(x);
    } else {
        split_twice<D>(x, twiddles_of_block<D>(tables.lines, leaf));
    }
    split_vectors<D, kFirst>(x, tables.lines + leaf * kLine);
    const Twiddles<D> t = twiddles_of_lanes<D>(tables.leaves + leaf * FftTables::kRows * hn::MaxLanes(D{}));
    split_twice<D, kFirst ? 1 : 0>(x, t);
    if constexpr (kFirst) x[0] = sum_and_difference_of_first<D>(x[0]);
}
template <class D, bool kFirst>
HWY_INLINE void merge_leaf(const FftTables& tables, std::size_t leaf, Complex<D> (&x)[4]) {
    const Twiddles<D> t = twiddles_of_lanes<D>(tables.leaves + leaf * FftTables::kRows * hn::MaxLanes(D{}));
    if constexpr (kFirst) x[0] = half_of_first<D>(sum_and_difference_of_first<D>(x[0]));
    merge_twice<D, kFirst ? 1 : 0>(x, t);
    merge_vectors<D, kFirst>(x, tables.lines + leaf * kLine);
    if constexpr (kFirst) {
        merge_real_twice<D>(x);
    } else {
        merge_twice<D>(x, twiddles_of_block<D>(tables.lines, leaf));
    }
}

template <class D>
HWY_INLINE void load_leaf(const float* re, const float* im, Complex<D> (&x)[4]) {
    constexpr std::size_t kWidth = hn::MaxLanes(D{});
    for (std::size_t i = 0; i < 4; ++i) x[i] = load<D>(re + i * kWidth, im + i * kWidth);
}
template <class D>
HWY_INLINE void store_leaf(const Complex<D> (&x)[4], float* re, float* im) {
    constexpr std::size_t kWidth = hn::MaxLanes(D{});
    for (std::size_t i = 0; i < 4; ++i) store<D>(x[i], re + i * kWidth, im + i * kWidth);
}

/// Where the slots of blocks are read and written; may be the same.
struct Slots {
    const float* from_re;
    const float* from_im;
    float* re;
    float* im;
};

HWY_INLINE Slots moved(const Slots& slots, std::size_t count) {
    return {slots.from_re + count, slots.from_im + count, slots.re + count, slots.im + count};
}

/// Splits a block of one leaf, or of two.
template <class D, bool kFirst, bool kTwo>
HWY_INLINE void split_last(const FftTables& tables, std::size_t block, const Slots& slots) {
    constexpr std::size_t kLeaf = 4 * hn::MaxLanes(D{});
    Complex<D> x[4];
    load_leaf<D>(slots.from_re, slots.from_im, x);
    if constexpr (kTwo) {
        Complex<D> y[4];
        load_leaf<D>(slots.from_re + kLeaf, slots.from_im + kLeaf, y);
        if constexpr (kFirst) {
            for (std::size_t i = 0; i < 4; ++i) split_real<D>(x[i], y[i]);
        } else {
            const Complex<D> w = twiddles_of_block<D>(tables.lines, block).w;
            for (std::size_t i = 0; i < 4; ++i) split<D>(x[i], y[i], w);
        }
        split_leaf<D, kFirst>(tables, 2 * block, x);
        store_leaf<D>(x, slots.re, slots.im);
        split_leaf<D, false>(tables, 2 * block + 1, y);
        store_leaf<D>(y, slots.re + kLeaf, slots.im + kLeaf);
    } else {
        split_leaf<D, kFirst>(tables, block, x);
        store_leaf<D>(x, slots.re, slots.im);
    }
}
template <class D, bool kFirst, bool kTwo>
HWY_INLINE void merge_last(const FftTables& tables, std::size_t block, const Slots& slots) {
    constexpr std::size_t kLeaf = 4 * hn::MaxLanes(D{});
    Complex<D> x[4];
    load_leaf<D>(slots.from_re, slots.from_im, x);
    if constexpr (kTwo) {
        Complex<D> y[4];
        load_leaf<D>(slots.from_re + kLeaf, slots.from_im + kLeaf, y);
        merge_leaf<D, kFirst>(tables, 2 * block, x);
        merge_leaf<D, false>(tables, 2 * block + 1, y);
        if constexpr (kFirst) {
            for (std::size_t i = 0; i < 4; ++i) merge_real<D>(x[i], y[i]);
        } else {
            const Complex<D> w = twiddles_of_block<D>(tables.lines, block).w;
            for (std::size_t i = 0; i < 4; ++i) merge<D>(x[i], y[i], w);
        }
        store_leaf<D>(x, slots.re, slots.im);
        store_leaf<D>(y, slots.re + kLeaf, slots.im + kLeaf);
    } else {
        merge_leaf<D, kFirst>(tables, block, x);
        store_leaf<D>(x, slots.re, slots.im);
    }
}

/// Splits a block into four, or merges it from them. kFirst: it is block 0.
template <class D, bool kFirst, bool kMerge>
HWY_INLINE void pass(const FftTables& tables, std::size_t block, std::size_t slots, const Slots& at) {
    const std::size_t part = slots / 4;
    [[maybe_unused]] const Twiddles<D> t = twiddles_of_block<D>(tables.lines, block);
    for (std::size_t n = 0; n < part; n += hn::MaxLanes(D{})) {
        Complex<D> x[4];
        for (std::size_t i = 0; i < 4; ++i) x[i] = load<D>(at.from_re + n + i * part, at.from_im + n + i * part);
        if constexpr (kFirst && kMerge) {
            merge_real_twice<D>(x);
        } else if constexpr (kFirst) {
            split_real_twice<D>(x);
        } else if constexpr (kMerge) {
            merge_twice<D>(x, t);
        } else {
            split_twice<D>(x, t);
        }
        for (std::size_t i = 0; i < 4; ++i) store<D>(x[i], at.re + n + i * part, at.im + n + i * part);
    }
}

/// Splits block 0 into two, or merges it from them.
template <class D, bool kMerge>
HWY_INLINE void pass_in_halves(std::size_t slots, const Slots& at) {
    const std::size_t part = slots / 2;
    for (std::size_t n = 0; n < part; n += hn::MaxLanes(D{})) {
        Complex<D> x = load<D>(at.from_re + n, at.from_im + n);
        Complex<D> y = load<D>(at.from_re + n + part, at.from_im + n + part);
        if constexpr (kMerge) {
            merge_real<D>(x, y);
        } else {
            split_real<D>(x, y);
        }
        store<D>(x, at.re + n, at.im + n);
        store<D>(y, at.re + n + part, at.im + n + part);
    }
}

/// A number of consecutive blocks of one level, and their spectrum in place.
struct Blocks {
    std::size_t first;
    std::size_t count;
    std::size_t slots;  ///< of each
    float* re;
    float* im;

    HWY_INLINE Blocks next_level() const { return {first * 4, count * 4, slots / 4, re, im}; }
    HWY_INLINE Blocks block(std::size_t i) const { return {first + i, 1, slots, re + i * slots, im + i * slots}; }
    HWY_INLINE Slots in_place() const { return {re, im, re, im}; }
};

/// What is done with each block of a level.
enum class Step { split, merge, split_leaf, merge_leaf, split_leaves, merge_leaves };

template <class D, Step kStep, bool kFirst>
HWY_INLINE void run_block(const FftTables& tables, std::size_t block, std::size_t slots, const Slots& at) {
    if constexpr (kStep == Step::split_leaf || kStep == Step::split_leaves) {
        split_last<D, kFirst, kStep == Step::split_leaves>(tables, block, at);
    } else if constexpr (kStep == Step::merge_leaf || kStep == Step::merge_leaves) {
        merge_last<D, kFirst, kStep == Step::merge_leaves>(tables, block, at);
    } else {
        pass<D, kFirst, kStep == Step::merge>(tables, block, slots, at);
    }
}
template <class D, Step kStep>
HWY_INLINE void run_blocks(const FftTables& tables, const Blocks& blocks, Slots at) {
    std::size_t block = blocks.first;
    const std::size_t end = blocks.first + blocks.count;
    if (block == 0) {
        run_block<D, kStep, true>(tables, block, blocks.slots, at);
        at = moved(at, blocks.slots);
        ++block;
    }
    for (; block < end; ++block) {
        run_block<D, kStep, false>(tables, block, blocks.slots, at);
        at = moved(at, blocks.slots);
    }
}

/// Transforms blocks whose size is a power of four, times that of one leaf or two. Recursive: log4(slots) deep. Only the
/// level of these blocks uses `at`, which is between signal and spectrum, or in place.
template <class D, bool kMerge>
void run_levels(const FftTables& tables, const Blocks& blocks, const Slots& at) RTA_NONBLOCKING {
    constexpr std::size_t kLeaf = 4 * hn::MaxLanes(D{});
    if (blocks.count > 1 && blocks.count * blocks.slots > kCachedSlots) {
        for (std::size_t i = 0; i < blocks.count; ++i) {
            run_levels<D, kMerge>(tables, blocks.block(i), moved(at, i * blocks.slots));
        }
    } else if (blocks.slots == kLeaf) {
        run_blocks<D, kMerge ? Step::merge_leaf : Step::split_leaf>(tables, blocks, at);
    } else if (blocks.slots == 2 * kLeaf) {
        run_blocks<D, kMerge ? Step::merge_leaves : Step::split_leaves>(tables, blocks, at);
    } else if constexpr (kMerge) {
        run_levels<D, kMerge>(tables, blocks.next_level(), blocks.in_place());
        run_blocks<D, Step::merge>(tables, blocks, at);
    } else {
        run_blocks<D, Step::split>(tables, blocks, at);
        run_levels<D, kMerge>(tables, blocks.next_level(), blocks.in_place());
    }
}

/// Transforms all slots.
template <class D, bool kMerge>
HWY_INLINE void run_all(const FftTables& tables, float* re, float* im, const Slots& at) {
    const std::size_t slots = tables.slots;
    if (slots < kManySlots) return run_levels<D, kMerge>(tables, {0, 1, slots, re, im}, at);
    const Blocks halves{0, 2, slots / 2, re, im};
    if constexpr (kMerge) {
        run_levels<D, kMerge>(tables, halves, halves.in_place());
        pass_in_halves<D, kMerge>(slots, at);
    } else {
        pass_in_halves<D, kMerge>(slots, at);
        run_levels<D, kMerge>(tables, halves, halves.in_place());
    }
}

/// Vectors of the smallest transforms, which have too few slots for a leaf of wide vectors.
using Fours = hn::CappedTag<float, 4>;
constexpr std::size_t kFewSlots = kLanes == 4 ? 0 : 32;

std::size_t lanes(std::size_t slots) RTA_NONBLOCKING { return slots <= kFewSlots ? 4 : kLanes; }

std::size_t block_of_lane(std::size_t lanes, std::size_t lane) RTA_NONBLOCKING {
    if (lanes != 8) return lane;
    // Two blocks of each half, then the other two: see exchange_halves().
    const std::size_t pair = lane % 4;
    return pair / 2 * 4 + lane / 4 * 2 + pair % 2;
}

void forward(const FftTables& tables, const float* in, float* re, float* im) RTA_NONBLOCKING {
    const Slots at{in, in + tables.slots, re, im};
    if constexpr (kFewSlots != 0) {
        if (tables.slots == kFewSlots) return split_last<Fours, true, true>(tables, 0, at);
        if (tables.slots == kFewSlots / 2) return split_last<Fours, true, false>(tables, 0, at);
    }
    run_all<Floats, false>(tables, re, im, at);
}

void inverse(const FftTables& tables, float* re, float* im, float* out) RTA_NONBLOCKING {
    const Slots at{re, im, out, out + tables.slots};
    if constexpr (kFewSlots != 0) {
        if (tables.slots == kFewSlots) return merge_last<Fours, true, true>(tables, 0, at);
        if (tables.slots == kFewSlots / 2) return merge_last<Fours, true, false>(tables, 0, at);
    }
    run_all<Floats, true>(tables, re, im, at);
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
