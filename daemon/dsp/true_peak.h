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

/// How high a signal goes between its samples: what a converter will make of it.
///
/// Recommendation ITU-R BS.1770-4, annex 2, asks for four times as many samples. Here each of them comes from 64
/// samples (flat to 22 kHz of 48 kHz) and a parabola through three of them finds the peak between: at half the sample
/// rate, where that is hardest, it is read 0.08 dB too low.
///
/// Of what a signal holds just below half the sample rate no two interpolators make the same, and the longer one is,
/// the higher it reads white noise (by more than a decibel). So that none reads more than is told here, the level of
/// what lies above 0.4 of the sample rate (19 kHz of 48) counts once more, times kEdgeWeight: with it, interpolators of
/// 20 to 512 samples stayed below what was told, over white noise, random bits and square waves. Music has next to
/// nothing there.
class TruePeak {
 public:
    /// Frames by which a peak is told later than it went in.
    static constexpr std::uint32_t kLatency = 32;
    /// Louder samples (+144 dB) count as this, so that none is too loud to reckon with.
    static constexpr float kLoudest = 0x1p24F;

    /// [control]
    TruePeak(std::uint32_t channel_count, std::uint32_t block_size);

    /// peaks[n] = the highest magnitude, of all channels, from kLatency frames before frame n until the frame after, or
    /// 0 where nothing so high as floors[n] is to be found. [audio]
    void process(const AudioReadView& in, std::span<const float> floors, std::span<float> peaks) RTA_NONBLOCKING;

 private:
    static constexpr std::uint32_t kTaps = 2 * kLatency;
    static constexpr std::uint32_t kEdgeTaps = 48;
    /// The level above 0.4 of the sample rate is the highest within so many frames on both sides: a chunk altogether,
    /// so that after a quiet one nothing is left of it.
    static constexpr std::uint32_t kEdgeReach = 8;
    static constexpr float kEdgeWeight = 0.7F;
    /// Whether a peak needs to be looked for is decided for so many frames at a time, whatever the block size.
    static constexpr std::uint32_t kChunk = 16;

    bool find_loud(std::span<const float> floors) RTA_NONBLOCKING;
    void silence_quiet_chunks(std::span<float> values) const RTA_NONBLOCKING;
    void interpolate(std::span<const float> line, std::span<float> peaks) RTA_NONBLOCKING;

    std::uint32_t block_size_;
    std::array<std::array<float, kTaps>, 3>
        quarters_;                       ///< factors for 1/4, 2/4 and 3/4 of a frame; oldest sample first
    std::array<float, kEdgeTaps> edge_;  ///< a high-pass
    float largest_gain_;                 ///< what all of this can make of a sample

    AudioBuffer lines_;                          ///< channels x (kTaps frames of before, then the block)
    std::vector<float> chunk_levels_;            ///< the highest sample of each chunk of the lines
    std::vector<std::uint8_t> loud_chunks_;      ///< of the block: 1 where a peak is looked for
    std::array<std::vector<float>, 3> between_;  ///< a block of each quarter
    std::vector<float> edges_;                   ///< a block
    SlidingMaximum edge_reach_{2 * kEdgeReach};
};

/// The same as meters read it: nothing counts twice. Each of the three samples between two comes from 32 (flat to 20
/// kHz of 44.1); with the parabola, sines up to there are read to within 0.1 dB.
class TruePeakMeter {
 public:
    /// Frames by which a peak is told later than it went in.
    static constexpr std::uint32_t kLatency = 16;

    /// [control]
    TruePeakMeter(std::uint32_t channel_count, std::uint32_t block_size);

    /// The highest magnitude in a block of one channel, from kLatency frames before it to as many before its end. NaN
    /// and infinity count as 0. What is nearer than kLatency frames to the beginning is left out: between silence that
    /// nobody has heard and sound, there would be an edge that overshoots. [audio]
    [[nodiscard]] float process(std::uint32_t channel, std::span<const float> in) RTA_NONBLOCKING;
    /// What comes next does not follow what came before. [audio]
    void reset() RTA_NONBLOCKING;

 private:
    static constexpr std::uint32_t kTaps = 2 * kLatency;

    std::array<std::array<float, kTaps>, 3> quarters_;  ///< as TruePeak's
    AudioBuffer lines_;                                 ///< channels x (kTaps frames of before, then the block)
    std::array<std::vector<float>, 3> between_;         ///< a block of each quarter
    std::vector<float> peaks_;                          ///< a block
    std::vector<std::size_t> unheard_frames_;           ///< in the line of each channel, before the block
};

}  // namespace rta::dsp
