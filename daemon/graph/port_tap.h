// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "dsp/audio_view.h"
#include "dsp/sample_history.h"
#include "graph/level_tap.h"
#include "rt/annotations.h"

namespace rta {

/// Measures the signal at an output port for the control thread. It is part of the plan, not of the graph.
class PortTap {
 public:
    /// [control] `with_samples`: also keeps the latest samples.
    PortTap(std::uint32_t channels, double sample_rate_hz, std::uint32_t block_size, bool with_samples)
        : levels_{channels, sample_rate_hz, block_size} {
        levels_.enable(true);
        if (with_samples) samples_.emplace(channels);
    }

    /// [audio] Measures a block that starts at `frame`.
    void add(std::uint64_t frame, const AudioReadView& block) RTA_NONBLOCKING {
        if (levels_.wanted()) levels_.add(frame, block);
        if (samples_) samples_->add(frame, block);
    }
    /// [control]
    [[nodiscard]] LevelTap& levels() { return levels_; }
    /// [control] Returns nullptr if no samples are kept.
    [[nodiscard]] const SampleHistory* samples() const { return samples_ ? &*samples_ : nullptr; }
    [[nodiscard]] std::uint32_t channel_count() const { return levels_.maximum_channels(); }

 private:
    LevelTap levels_;
    std::optional<SampleHistory> samples_;
};

}  // namespace rta
