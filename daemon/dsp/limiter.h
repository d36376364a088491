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
#include "dsp/true_peak.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// Limiter: keeps samples, and the signal between samples, below a ceiling. All channels have the same gain.
///
/// The gain that the highest upcoming peak requires is held until that peak has been output, released by a one-pole and
/// smoothed by two moving averages. The average of a held gain has reached its minimum when the peak is output, after a
/// smooth transition of the look-ahead time. This is a well-known design (P. Hamalainen, "Smoothing of the Control
/// Signal without Clipped Output in Digital Peak Limiters", DAFx 2002). The gain is constant for kGuardFrames around a
/// peak, so that an interpolator sees the signal multiplied by a constant.
///
/// The averages use integer sums: they do not drift, and the average of gains of 1 is exactly 1. A signal that needs no
/// limiting passes bit-exactly. Samples above TruePeak::kLoudest are limited as if they had that level, then clipped.
class Limiter {
 public:
    /// `look_ahead_frames` > 0 is the time in which the gain is reduced. [control]
    Limiter(double sample_rate_hz, std::uint32_t look_ahead_frames, std::uint32_t channel_count,
            std::uint32_t block_size);

    /// Processes one block of all channels. `ceiling` is a factor greater than 0; a change applies to the input from
    /// TruePeak::kLatency frames before. `out` may be `in`. Writes the gains to `applied` unless it is nullptr. [audio]
    void process(const AudioReadView& in, BlockValue ceiling, BlockValue release_ms, const AudioWriteView& out,
                 GainRange* applied = nullptr) RTA_NONBLOCKING;

    [[nodiscard]] std::uint32_t latency_frames() const { return delay_.delay_frames(); }

 private:
    /// Sum of the last `length` integers.
    class RunningSum {
     public:
        RunningSum(std::uint32_t length, std::int64_t value) : values_(length) { fill(value); }
        void fill(std::int64_t value) RTA_NONBLOCKING;
        /// Replaces each value by the sum of the last `length` values.
        void process(std::span<std::int64_t> values) RTA_NONBLOCKING;
        [[nodiscard]] std::int64_t sum() const RTA_NONBLOCKING { return sum_; }

     private:
        std::vector<std::int64_t> values_;
        std::size_t place_ = 0;
        std::int64_t sum_ = 0;
    };

    static constexpr std::uint32_t kGuardFrames = 8;

    [[nodiscard]] bool compute_gains(BlockValue release_ms) RTA_NONBLOCKING;

    double sample_rate_hz_;
    TruePeak true_peak_;
    std::uint32_t hold_frames_;
    std::uint32_t smooth_frames_;  ///< of both averages together
    SlidingMaximum hold_;
    std::int64_t one_;  ///< integer that represents a gain of 1
    RunningSum first_;
    RunningSum second_;
    double full_sum_;           ///< sum of second_ if all gains are 1
    FixedDelay delay_;          ///< of the signal
    FixedDelay ceiling_delay_;  ///< of the ceiling, so that it stays aligned with the signal

    std::vector<float> values_;       ///< one block: peaks, then gains
    std::vector<std::int64_t> sums_;  ///< one block: gains as integers, then their sums
    std::vector<float> ceilings_;     ///< one block
    double gain_ = 1.0;               ///< after release, before smoothing
    std::uint32_t calm_frames_ = 0;   ///< since gain_ was last below 1

    float release_ms_ = 0.0F;  ///< for which release_ was computed
    double release_ = 0.0;     ///< decay_per_frame()
};

}  // namespace rta::dsp
