// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dsp/audio_buffer.h"
#include "dsp/audio_view.h"
#include "dsp/linked_level.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// Estimates the true peak: the peak of the signal between its samples, as a converter reconstructs it.
///
/// Recommendation ITU-R BS.1770-4, annex 2, requires oversampling by 4. Here each sample is interpolated from 64
/// samples (flat to 22 kHz at 48 kHz), and a parabola through three of them finds the peak in between. In the worst
/// case, at half the sample rate, it reads 0.08 dB too low.
///
/// Interpolators differ in their response just below half the sample rate, and for content there the longer they are,
/// the more they read: without limit, by up to 2 / pi times its level for each factor of e in length. So that no usual
/// interpolator reads more than this estimate, the level above 0.467 of the sample rate (22.4 kHz at 48 kHz) is added,
/// multiplied by kEdgeWeight. With it, interpolators of 24 to 1024 samples read at most 0.05 dB more, whatever the
/// signal; one of 4096 samples reads up to 2 dB more for alternating signs. A tone up to 0.44 of the sample rate is
/// estimated exactly; at 0.45 it is read 2 dB too high. Music has hardly any energy in that range.
class TruePeak {
 public:
    /// Latency of the estimate, in frames.
    static constexpr std::uint32_t kLatency = 32;
    /// Louder samples count as this level (+144 dB), so that no computation overflows.
    static constexpr float kLoudest = 0x1p24F;

    /// [control]
    TruePeak(std::uint32_t channel_count, std::uint32_t block_size);

    /// Writes the peaks of all channels: peaks[n] is the highest magnitude between the frame kLatency before frame n
    /// and the next one; 0 if it is below floors[n]. [audio]
    void process(const AudioReadView& in, std::span<const float> floors, std::span<float> peaks) RTA_NONBLOCKING;

 private:
    static constexpr std::uint32_t kTaps = 2 * kLatency;
    static constexpr std::uint32_t kEdgeTaps = 48;
    /// The level above 0.467 of the sample rate is the maximum within this number of frames on both sides: together one
    /// chunk, so that nothing is left after a quiet chunk.
    static constexpr std::uint32_t kEdgeReach = 8;
    static constexpr float kEdgeWeight = 2.2F;
    /// Number of frames for which the search for a peak is decided together, independent of the block size.
    static constexpr std::uint32_t kChunk = 16;

    bool find_loud(std::span<const float> floors) RTA_NONBLOCKING;
    void silence_quiet_chunks(std::span<float> values) const RTA_NONBLOCKING;
    void interpolate(std::span<const float> line, std::span<float> peaks) RTA_NONBLOCKING;

    std::uint32_t block_size_;
    std::array<std::array<float, kTaps>, 3>
        quarters_;                       ///< factors for 1/4, 2/4 and 3/4 of a frame, oldest sample first
    std::array<float, kEdgeTaps> edge_;  ///< high-pass
    float largest_gain_;                 ///< maximum gain of all of this for one sample

    AudioBuffer lines_;                          ///< channels x (kTaps previous frames, then the block)
    std::vector<float> chunk_levels_;            ///< peak of each chunk of the lines
    std::vector<std::uint8_t> loud_chunks_;      ///< of the block: 1 where a peak is searched for
    std::array<std::vector<float>, 3> between_;  ///< one block of each quarter
    std::vector<float> edges_;                   ///< one block
    SlidingMaximum edge_reach_{2 * kEdgeReach};
};

/// True peak for meters, without the added level of TruePeak. The interpolators use 32 samples (flat to 20 kHz at
/// 44.1 kHz); with the parabola, sines up to that frequency are accurate to 0.1 dB.
class TruePeakMeter {
 public:
    /// Latency of the reading, in frames.
    static constexpr std::uint32_t kLatency = 16;

    /// [control]
    TruePeakMeter(std::uint32_t channel_count, std::uint32_t block_size);

    /// Returns the highest magnitude of one channel over a block that starts and ends kLatency frames before `in`. NaN
    /// and infinity count as 0. The first kLatency frames after construction or reset() are omitted: the step from the
    /// assumed silence to the signal would overshoot. May return 0 instead of a magnitude below `floor`, which saves most
    /// of the time if the samples are far below it. [audio]
    [[nodiscard]] float process(std::uint32_t channel, std::span<const float> in, float floor = 0.0F) RTA_NONBLOCKING;
    /// Discards all state: the next block need not follow the previous one. [audio]
    void reset() RTA_NONBLOCKING;

 private:
    static constexpr std::uint32_t kTaps = 2 * kLatency;

    std::array<std::array<float, kTaps>, 3> quarters_;  ///< as in TruePeak
    float largest_gain_;                                ///< as in TruePeak
    AudioBuffer lines_;                                 ///< channels x (kTaps previous frames, then the block)
    std::array<std::vector<float>, 3> between_;         ///< one block of each quarter
    std::vector<float> peaks_;                          ///< one block
    std::vector<std::size_t> unheard_frames_;           ///< per channel: frames before the block that hold no signal
};

}  // namespace rta::dsp
