// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dsp/audio_view.h"
#include "dsp/block_value.h"
#include "dsp/fixed_delay.h"
#include "dsp/gain_range.h"
#include "dsp/linked_level.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// Compressor: reduces the gain of signals above a threshold, equally in all channels.
///
/// D. Giannoulis, M. Massberg and J. D. Reiss, "Digital Dynamic Range Compressor Design - A Tutorial and Analysis",
/// J. Audio Eng. Soc. 60(6), 2012. Feed-forward: the gain computer, with a quadratic knee, works in dB. A smooth
/// branching one-pole filters the gain reduction in dB, not the level, so that attack and release times do not depend
/// on the amount of reduction.
///
/// The level is the highest peak of the last kHoldMs in the loudest channel. A tone above 100 Hz therefore has a
/// constant level, which would otherwise vary twice per period and distort the output. The release starts kHoldMs after
/// the level has fallen.
class Compressor {
 public:
    static constexpr double kHoldMs = 5.0;

    /// Parameters during one block.
    struct Parameters {
        BlockValue threshold_db;
        BlockValue ratio;    ///< at least 1
        BlockValue knee_db;  ///< width; at least 0
        BlockValue attack_ms;
        BlockValue release_ms;
        BlockValue makeup;  ///< factor
    };

    /// `look_ahead_frames` is the delay of the output relative to the level detector. [control]
    Compressor(double sample_rate_hz, std::uint32_t look_ahead_frames, std::uint32_t channel_count,
               std::uint32_t block_size);

    /// Processes one block of all channels. The level is that of `key`. `out` may be `in`. Writes the gains to `applied`
    /// unless it is nullptr. [audio]
    void process(const AudioReadView& in, const AudioReadView& key, const Parameters& parameters,
                 const AudioWriteView& out, GainRange* applied = nullptr) RTA_NONBLOCKING;

    [[nodiscard]] std::uint32_t latency_frames() const { return delay_.delay_frames(); }

 private:
    [[nodiscard]] bool idle(const Parameters& parameters) const RTA_NONBLOCKING;
    void compute_reductions(const Parameters& parameters) RTA_NONBLOCKING;
    void smooth(const Parameters& parameters) RTA_NONBLOCKING;
    [[nodiscard]] GainRange smoothed_range() const RTA_NONBLOCKING;
    void compute_gains(const Parameters& parameters) RTA_NONBLOCKING;

    double sample_rate_hz_;
    SlidingMaximum hold_;
    FixedDelay delay_;
    std::vector<float> values_;  ///< one block: levels, then reductions in dB, then gains
    double reduction_db_ = 0.0;  ///< of the last frame

    float attack_ms_ = 0.0F;  ///< for which attack_ was computed
    float release_ms_ = 0.0F;
    double attack_ = 0.0;  ///< decay_per_frame()
    double release_ = 0.0;
};

}  // namespace rta::dsp
