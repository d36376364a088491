// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dsp/audio_view.h"
#include "dsp/block_value.h"
#include "dsp/fixed_delay.h"
#include "dsp/linked_level.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// Takes down what is louder than a threshold, all channels alike.
///
/// D. Giannoulis, M. Massberg and J. D. Reiss, "Digital Dynamic Range Compressor Design - A Tutorial and Analysis",
/// J. Audio Eng. Soc. 60(6), 2012: feed-forward; the level goes through the gain computer with its quadratic knee in
/// dB, and the gain reduction in dB, not the level, through a smooth, branching one-pole, so that a reduction of any
/// depth comes and goes in the same time.
///
/// The level is the highest peak of the last kHoldMs, of the loudest channel. So a tone above 100 Hz has the level of
/// its peaks and not one that swings twice a period: what comes out is what the static curve says, without distortion.
/// The release begins that much after the sound has fallen.
class Compressor {
 public:
    static constexpr double kHoldMs = 5.0;

    /// Times of the frames of one block, in dB and ms.
    struct Parameters {
        BlockValue threshold_db;
        BlockValue ratio;    ///< 1 or more
        BlockValue knee_db;  ///< width; 0 or more
        BlockValue attack_ms;
        BlockValue release_ms;
        BlockValue makeup;  ///< a factor
    };

    /// `look_ahead_frames`: the sound comes out so much later than it is looked at. [control]
    Compressor(double sample_rate_hz, std::uint32_t look_ahead_frames, std::uint32_t channel_count,
               std::uint32_t block_size);

    /// One block of all channels. `key` is what the level is that of, `out` may be `in`. [audio]
    void process(const AudioReadView& in, const AudioReadView& key, const Parameters& parameters,
                 const AudioWriteView& out) RTA_NONBLOCKING;

    [[nodiscard]] std::uint32_t latency_frames() const { return delay_.delay_frames(); }

 private:
    [[nodiscard]] bool idle(const Parameters& parameters) const RTA_NONBLOCKING;
    void compute_reductions(const Parameters& parameters) RTA_NONBLOCKING;
    void smooth(const Parameters& parameters) RTA_NONBLOCKING;
    void compute_gains(const Parameters& parameters) RTA_NONBLOCKING;

    double sample_rate_hz_;
    SlidingMaximum hold_;
    FixedDelay delay_;
    std::vector<float> values_;  ///< a block: levels, then reductions in dB, then gains
    double reduction_db_ = 0.0;  ///< of the last frame

    float attack_ms_ = 0.0F;  ///< of attack_
    float release_ms_ = 0.0F;
    double attack_ = 0.0;  ///< decay_per_frame()
    double release_ = 0.0;
};

}  // namespace rta::dsp
