// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "dsp/audio_view.h"
#include "dsp/block_value.h"
#include "dsp/fixed_delay.h"
#include "dsp/gain_range.h"
#include "dsp/linked_level.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// Noise gate: passes the signal while its level is above a threshold. All channels have the same gain.
///
/// D. Giannoulis, M. Massberg and J. D. Reiss, "Digital Dynamic Range Compressor Design - A Tutorial and Analysis",
/// J. Audio Eng. Soc. 60(6), 2012, is the source of the two thresholds, the hold time and the knee. The knee is centred
/// on the threshold; within it the gate is partly open. Without a knee the gate opens in the frame in which the loudest
/// channel reaches the threshold. The gate starts to close when the level has been too low for its current opening for
/// the hold time; the closing threshold is the threshold minus the hysteresis, with the same knee. While closing, the
/// opening follows the level until the level rises.
///
/// The opening, 0 to 1, rises to 1 in the attack time and falls to 0 in the release time. The gain is an S-curve of the
/// opening p (3 p^2 - 2 p^3) with a slope of 0 at both ends. Therefore even an attack of one millisecond does not
/// click, and the static curve leaves 0 dB quadratically, like that of a compressor.
///
/// The level is the highest peak of the last kPeakMs, half a period of 20 Hz, so that the gate does not move between
/// the peaks of the lowest tones. kPeakMs is part of the hold time.
class Gate {
 public:
    static constexpr double kPeakMs = 25.0;

    struct Parameters {
        BlockValue threshold;   ///< factor: the peak level that opens the gate
        BlockValue hysteresis;  ///< factor, at least 1: ratio of the opening to the closing threshold
        BlockValue knee_db;     ///< width; at least 0
        BlockValue attack_ms;
        BlockValue hold_ms;
        BlockValue release_ms;
        BlockValue floor;  ///< factor: the gain while the gate is closed
    };

    /// `look_ahead_frames` is the delay of the output relative to the level detector. [control]
    Gate(double sample_rate_hz, std::uint32_t look_ahead_frames, std::uint32_t channel_count, std::uint32_t block_size);

    /// Processes one block of all channels. The level is that of `key`. `out` may be `in`. Writes the gains to `applied`
    /// unless it is nullptr. [audio]
    void process(const AudioReadView& in, const AudioReadView& key, const Parameters& parameters,
                 const AudioWriteView& out, GainRange* applied = nullptr) RTA_NONBLOCKING;

    [[nodiscard]] std::uint32_t latency_frames() const { return delay_.delay_frames(); }

 private:
    /// State in which the gate stayed for a whole block.
    enum class Stayed : std::uint8_t { nowhere, open, shut };
    struct State {
        float wanted = 0.0F;        ///< target opening
        bool closing = false;       ///< follows a falling level
        double quiet_frames = 0.0;  ///< time for which the level has been too low while the gate is held
        double opened = 0.0;        ///< current opening

        void want(float opening, float keeping, double hold_frames) RTA_NONBLOCKING;
    };
    void look(const Parameters& parameters) RTA_NONBLOCKING;
    [[nodiscard]] Stayed rest() const RTA_NONBLOCKING;
    Stayed move(const Parameters& parameters) RTA_NONBLOCKING;

    double frames_per_ms_;
    double peak_frames_;
    SlidingMaximum peak_;
    FixedDelay delay_;
    std::vector<float> values_;   ///< one block: levels, then openings, then gains
    std::vector<float> opening_;  ///< one block: opening of a closed gate at the level
    std::vector<float> keeping_;  ///< one block: opening at which the level keeps an open gate
    State state_;
};

}  // namespace rta::dsp
