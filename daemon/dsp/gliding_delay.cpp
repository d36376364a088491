// SPDX-License-Identifier: MIT
#include "dsp/gliding_delay.h"

#include <algorithm>
#include <bit>
#include <cstddef>

namespace rta::dsp {
namespace {

/// 1 / product of (k - j) over all other samples j, for 2, 4, 6 and 8 samples.
constexpr auto kDenominators = [] {
    std::array<std::array<float, GlidingDelay::kTaps>, GlidingDelay::kTaps / 2> all{};
    for (std::size_t order = 0; order < all.size(); ++order) {
        for (std::size_t k = 0; k < 2 * order + 2; ++k) {
            double product = 1.0;
            for (std::size_t j = 0; j < 2 * order + 2; ++j) {
                if (j != k) product *= static_cast<double>(k) - static_cast<double>(j);
            }
            all[order][k] = static_cast<float>(1.0 / product);
        }
    }
    return all;
}();

}  // namespace

GlidingDelay::GlidingDelay(std::uint32_t channel_count, std::uint32_t block_size, std::uint32_t maximum_frames,
                           std::uint32_t delay_frames)
    : block_size_{block_size},
      maximum_frames_{maximum_frames},
      delay_{static_cast<float>(delay_frames)},
      delays_(block_size),
      weights_(block_size),
      ring_{channel_count, std::bit_ceil(maximum_frames + block_size + kTaps)} {}

void GlidingDelay::move_to(std::uint32_t frames, std::uint64_t frame, std::uint32_t length_frames,
                           std::uint64_t order) RTA_NONBLOCKING {
    if (order == order_) return;
    order_ = order;
    delay_.retarget(static_cast<float>(std::min(frames, maximum_frames_)), frame, length_frames);
}

void GlidingDelay::start_block(std::uint64_t frame) RTA_NONBLOCKING {
    moves_ = !delay_.at_rest(frame);
    if (!moves_) return;
    delay_.render(frame, delays_);
    for (std::uint32_t i = 0; i < block_size_; ++i) weights_[i] = interpolation(delays_[i]);
}

/// The samples of an odd order lie symmetrically around the requested point. The weight of sample k is the product of
/// (point - j) / (k - j) over all other samples j.
GlidingDelay::Interpolation GlidingDelay::interpolation(float delay_frames) RTA_NONBLOCKING {
    const auto whole = static_cast<std::uint32_t>(delay_frames);
    const std::uint32_t later = std::min(whole, kTaps / 2 - 1);
    const std::uint32_t taps = 2 * later + 2;
    Interpolation result{.newest = whole - later, .weights = {}};
    const float point = delay_frames - static_cast<float>(result.newest);
    float before = 1.0F;
    for (std::uint32_t k = 0; k < taps; ++k) {
        result.weights[k] = before * kDenominators[later][k];
        before *= point - static_cast<float>(k);
    }
    float behind = 1.0F;
    for (std::uint32_t k = taps; k-- > 0;) {
        result.weights[k] *= behind;
        behind *= point - static_cast<float>(k);
    }
    return result;
}

void GlidingDelay::process(std::uint32_t channel, std::span<const float> in, std::span<float> out) RTA_NONBLOCKING {
    const std::span<float> ring = ring_.write().channel(channel);
    const auto mask = static_cast<std::uint32_t>(ring.size() - 1);
    for (std::uint32_t i = 0; i < block_size_; ++i) ring[(position_ + i) & mask] = in[i];
    if (!moves_) {
        const std::uint32_t begin = position_ - static_cast<std::uint32_t>(delay_.target());
        for (std::uint32_t i = 0; i < block_size_; ++i) out[i] = ring[(begin + i) & mask];
        return;
    }
    for (std::uint32_t i = 0; i < block_size_; ++i) {
        const Interpolation& at = weights_[i];
        float sum = 0.0F;
        for (std::uint32_t k = 0; k < kTaps; ++k) sum += at.weights[k] * ring[(position_ + i - at.newest - k) & mask];
        out[i] = sum;
    }
}

void GlidingDelay::advance() RTA_NONBLOCKING { position_ += block_size_; }

}  // namespace rta::dsp
