// SPDX-License-Identifier: MIT
#include "dsp/fixed_delay.h"

#include <algorithm>

namespace rta::dsp {

FixedDelay::FixedDelay(std::uint32_t channel_count, std::uint32_t delay_frames)
    : delay_frames_{delay_frames}, ring_{channel_count, (delay_frames / kMaximumBlock + 2) * kMaximumBlock} {}

void FixedDelay::process(std::uint32_t channel, std::span<const float> in, std::span<float> out) RTA_NONBLOCKING {
    const std::span<float> ring = ring_.write().channel(channel);
    std::ranges::copy(in, ring.subspan(position_).begin());
    const std::size_t begin = (position_ + ring.size() - delay_frames_) % ring.size();
    const std::size_t unbroken = std::min(in.size(), ring.size() - begin);
    std::ranges::copy(ring.subspan(begin, unbroken), out.begin());
    std::ranges::copy(ring.first(in.size() - unbroken), out.subspan(unbroken).begin());
}

void FixedDelay::advance(std::uint32_t block_size) RTA_NONBLOCKING {
    position_ = (position_ + block_size) % ring_.frame_count();
}

}  // namespace rta::dsp
