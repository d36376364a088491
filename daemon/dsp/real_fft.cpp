// SPDX-License-Identifier: MIT
#include "dsp/real_fft.h"

#include <bit>
#include <cassert>

#include "dsp/kernels.h"
#include "dsp/math.h"

namespace rta::dsp {
namespace {

/// w(b) is e^(-2 pi i turns); see dsp/fft_kernels.cpp.
double turns_of_block(std::size_t block) {
    if (block == 0) return 0.0;
    double turns = -1.0 / 8.0;
    for (std::size_t bit = std::bit_floor(block) / 2; bit > 0; bit /= 2) {
        turns = turns / 2.0 + ((block & bit) != 0 ? 0.25 : 0.0);
    }
    return turns;
}

/// Returns which multiple of the lowest frequency of a spectrum is in a slot, before lanes are exchanged. Multiples above
/// half the sample rate stand for the conjugate of a bin.
std::size_t multiple_of_slot(std::size_t slot, std::size_t slots) {
    if (slot == 0) return 0;
    const std::size_t leading = std::bit_floor(slot);
    std::size_t multiple = 2 * slots - slots / (2 * leading);
    std::size_t step = 2 * slots / leading;
    for (std::size_t bit = leading / 2; bit > 0; bit /= 2, step *= 2) {
        if ((slot & bit) != 0) multiple += step;
    }
    return multiple % (2 * slots);
}

/// Writes a column of a line of `columns`: the twiddle factors of a block.
void write_twiddles(std::size_t block, float* out, std::size_t columns) {
    const double turns = turns_of_block(block);
    const double half = turns_of_block(2 * block);
    for (const double angle : {turns, half, turns + half}) {
        out[0] = static_cast<float>(cosine_of_turns(angle));
        out[columns] = static_cast<float>(-sine_of_turns(angle));
        out += 2 * columns;
    }
}

}  // namespace

bool RealFft::is_size(std::size_t size) { return std::has_single_bit(size) && size >= kSmallest && size <= kLargest; }

RealFft::RealFft(std::size_t size) : kernels_{&fft_kernels()} {
    assert(is_size(size));
    tables_.slots = size / 2;
    const std::size_t lanes = kernels_->lanes(tables_.slots);
    const std::size_t leaves = tables_.slots / (4 * lanes);
    constexpr std::size_t kPerLine = FftTables::kBlocksPerLine;
    constexpr std::size_t kRows = FftTables::kRows;
    lines_ = AudioBuffer{1, static_cast<std::uint32_t>(leaves * kRows * kPerLine)};
    leaves_ = AudioBuffer{1, static_cast<std::uint32_t>(leaves * kRows * lanes)};
    float* line = lines_.write().channel(0).data();
    float* vectors = leaves_.write().channel(0).data();
    tables_.lines = line;
    tables_.leaves = vectors;
    for (std::size_t leaf = 0; leaf < leaves; ++leaf, line += kRows * kPerLine, vectors += kRows * lanes) {
        for (std::size_t i = 0; i < kPerLine; ++i) write_twiddles(leaf * kPerLine + i, line + i, kPerLine);
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            write_twiddles(leaf * lanes + kernels_->block_of_lane(lanes, lane), vectors + lane, lanes);
        }
    }
}

void RealFft::forward(std::span<const float> in, SplitSpectrum spectrum) const RTA_NONBLOCKING {
    assert(in.size() == size() && spectrum.re.size() == bins() && spectrum.im.size() == bins());
    kernels_->forward(tables_, in.data(), spectrum.re.data(), spectrum.im.data());
}

void RealFft::inverse(SplitSpectrum spectrum, std::span<float> out) const RTA_NONBLOCKING {
    assert(out.size() == size() && spectrum.re.size() == bins() && spectrum.im.size() == bins());
    kernels_->inverse(tables_, spectrum.re.data(), spectrum.im.data(), out.data());
}

NaturalOrder::NaturalOrder(const RealFft& transform) : places_(transform.bins(), Place{0, 1.0F}) {
    const FftKernels& kernels = *transform.kernels_;
    const std::size_t slots = transform.bins();
    const std::size_t lanes = kernels.lanes(slots);
    // A leaf has a block of four slots in each lane, one in each of its vectors.
    for (std::size_t at = 1; at < slots; ++at) {
        const std::size_t leaf = at / (4 * lanes);
        const std::size_t part = at / lanes % 4;
        const std::size_t block = leaf * lanes + kernels.block_of_lane(lanes, at % lanes);
        const std::size_t multiple = multiple_of_slot(4 * block + part, slots);
        const auto slot = static_cast<std::uint32_t>(at);
        if (multiple < slots) {
            places_[multiple] = {slot, 1.0F};
        } else {
            places_[2 * slots - multiple] = {slot, -1.0F};
        }
    }
}

void NaturalOrder::to_natural(ConstSplitSpectrum own, SplitSpectrum natural) const RTA_NONBLOCKING {
    assert(own.re.size() == places_.size() && natural.re.size() == places_.size());
    for (std::size_t k = 0; k < places_.size(); ++k) {
        natural.re[k] = own.re[places_[k].slot];
        natural.im[k] = own.im[places_[k].slot] * places_[k].sign;
    }
}

void NaturalOrder::from_natural(ConstSplitSpectrum natural, SplitSpectrum own) const RTA_NONBLOCKING {
    assert(own.re.size() == places_.size() && natural.re.size() == places_.size());
    for (std::size_t k = 0; k < places_.size(); ++k) {
        own.re[places_[k].slot] = natural.re[k];
        own.im[places_[k].slot] = natural.im[k] * places_[k].sign;
    }
}

void multiply_accumulate(std::span<const FftProduct> products, SplitSpectrum sum) RTA_NONBLOCKING {
    assert(sum.re.size() % kKernelFrames == 0);
    fft_kernels().multiply_accumulate(products.data(), products.size(), sum.re.data(), sum.im.data(), sum.re.size());
}

}  // namespace rta::dsp
