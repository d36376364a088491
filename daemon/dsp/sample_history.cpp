// SPDX-License-Identifier: MIT
#include "dsp/sample_history.h"

#include <algorithm>
#include <cstddef>

namespace rta {

void SampleHistory::add(std::uint64_t frame, const AudioReadView& block) RTA_NONBLOCKING {
    const std::uint32_t frames = block.frame_count();
    if (end_.load(std::memory_order_relaxed) != frame) begin_.store(frame, std::memory_order_relaxed);
    writing_.store(frame + frames, std::memory_order_relaxed);
    const std::uint32_t channels = std::min(block.channel_count(), channel_count_);
    for (std::uint32_t channel = 0; channel < channels; ++channel) {
        const std::span<const float> in = block.channel(channel);
        std::atomic<float>* const out = samples_.data() + std::size_t{channel} * kFrames + frame % kFrames;
        // release pairs with the acquire in copy_latest(): a reader that finds one of these samples finds `writing_`, too.
        for (std::uint32_t i = 0; i < frames; ++i) out[i].store(in[i], std::memory_order_release);
    }
    // release pairs with the acquire in copy_latest(): a reader of the new end finds the samples and the beginning.
    end_.store(frame + frames, std::memory_order_release);
}

std::uint64_t SampleHistory::copy_latest(std::uint32_t channel, std::span<float> samples) const {
    const std::uint64_t end = end_.load(std::memory_order_acquire);
    if (end < samples.size()) return 0;
    const std::uint64_t first = end - samples.size();
    const std::atomic<float>* const in = samples_.data() + std::size_t{channel} * kFrames;
    for (std::size_t i = 0; i < samples.size(); ++i)
        samples[i] = in[(first + i) % kFrames].load(std::memory_order_acquire);
    // Samples of a later block would have been found together with its `writing_`, and those after a gap with `begin_`.
    const bool overwritten = writing_.load(std::memory_order_relaxed) > first + kFrames;
    const bool gap = begin_.load(std::memory_order_relaxed) > first;
    return overwritten || gap ? 0 : end;
}

}  // namespace rta
