// SPDX-License-Identifier: MIT
#include "io/output_fade.h"

#include <algorithm>
#include <cmath>

namespace rta::io {

OutputFade::OutputFade(std::uint32_t sample_rate_hz) noexcept
    : frames_{static_cast<std::uint32_t>(std::ceil(kSeconds * sample_rate_hz))}, position_{frames_} {}

void OutputFade::apply(const AudioWriteView& block) RTA_NONBLOCKING {
    const bool wanted = wanted_.load(std::memory_order_relaxed);
    if (wanted && position_ == frames_) return;
    // One block after the end of the fade: an adapter may play a block later than it was rendered.
    if (!wanted && position_ == 0) silent_.store(true, std::memory_order_relaxed);
    const auto gain_at = [&](std::uint32_t frame) {
        const std::uint32_t moved = frame + 1;
        const std::uint32_t position =
            wanted ? std::min(position_ + moved, frames_) : position_ - std::min(position_, moved);
        return static_cast<float>(position) / static_cast<float>(frames_);
    };
    const std::uint32_t count = block.frame_count();
    for (std::uint32_t channel = 0; channel < block.channel_count(); ++channel) {
        const auto samples = block.channel(channel);
        for (std::uint32_t frame = 0; frame < count; ++frame) samples[frame] *= gain_at(frame);
    }
    position_ = wanted ? std::min(position_ + count, frames_) : position_ - std::min(position_, count);
}

}  // namespace rta::io
