// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dsp/audio_view.h"
#include "dsp/block_value.h"
#include "dsp/fixed_delay.h"
#include "dsp/linked_level.h"
#include "dsp/true_peak.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// Keeps samples, and the signal between them, below a ceiling, all channels alike.
///
/// The gain that the highest peak of the next frames needs is held until that peak has come out, released by a one-pole
/// and smoothed by two running averages: each is no higher than what it is made from, so the gain is down when the peak
/// comes, and got there on a smooth way that takes the look-ahead (a design well known; its parts are in P. Hamalainen,
/// "Smoothing of the Control Signal without Clipped Output in Digital Peak Limiters", DAFx 2002). The gain stands still
/// for kGuardFrames around a peak, so that an interpolator sees it multiplied by one number.
///
/// Averages are sums of whole numbers: they do not drift, and of gains of 1 they are 1. What needs no limiting comes
/// out bit for bit. What is louder than TruePeak::kLoudest is limited as if it were so loud, and clipped.
class Limiter {
 public:
    /// `look_ahead_frames` > 0: the time that the gain takes to come down. [control]
    Limiter(double sample_rate_hz, std::uint32_t look_ahead_frames, std::uint32_t channel_count,
            std::uint32_t block_size);

    /// One block of all channels. `ceiling` is a factor above 0; a change of it holds from the sound on whose peaks are
    /// told then, which went in TruePeak::kLatency frames before. `out` may be `in`. [audio]
    void process(const AudioReadView& in, BlockValue ceiling, BlockValue release_ms,
                 const AudioWriteView& out) RTA_NONBLOCKING;

    [[nodiscard]] std::uint32_t latency_frames() const { return delay_.delay_frames(); }

 private:
    /// The sum of the latest `length` whole numbers.
    class RunningSum {
     public:
        RunningSum(std::uint32_t length, std::int64_t value) : values_(length) { fill(value); }
        void fill(std::int64_t value) RTA_NONBLOCKING;
        /// Each value becomes the sum of the latest.
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
    std::uint32_t smooth_frames_;  ///< both averages together
    SlidingMaximum hold_;
    std::int64_t one_;  ///< a gain of 1
    RunningSum first_;
    RunningSum second_;
    double full_sum_;           ///< of second_ where all gains are 1
    FixedDelay delay_;          ///< of the sound
    FixedDelay ceiling_delay_;  ///< of the ceiling, so that it meets the sound whose peaks were held against it

    std::vector<float> values_;       ///< a block: peaks, then gains
    std::vector<std::int64_t> sums_;  ///< a block: gains as whole numbers, then their sums
    std::vector<float> ceilings_;     ///< a block
    double gain_ = 1.0;               ///< released, not smoothed
    std::uint32_t calm_frames_ = 0;   ///< since gain_ was last below 1

    float release_ms_ = 0.0F;  ///< of release_
    double release_ = 0.0;     ///< decay_per_frame()
};

}  // namespace rta::dsp
