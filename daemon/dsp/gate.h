// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "dsp/audio_view.h"
#include "dsp/block_value.h"
#include "dsp/fixed_delay.h"
#include "dsp/linked_level.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// Lets sound through while it is louder than a threshold, all channels alike.
///
/// D. Giannoulis, M. Massberg and J. D. Reiss, "Digital Dynamic Range Compressor Design - A Tutorial and Analysis",
/// J. Audio Eng. Soc. 60(6), 2012, from which come the two thresholds and the hold of a noise gate, and the knee: a
/// bend of so many dB, half of them on each side of the threshold. Within it the gate is partly open; where there is
/// none it opens in the frame in which the loudest channel reaches the threshold. It begins to close when for the hold
/// time the level has been too low to keep it as far open as it is, by the same knee around the threshold less the
/// hysteresis, and from then on follows the level until that rises.
///
/// How far open the gate is, 0 to 1, goes up to 1 in the attack time and down to 0 in the release time. The gain is an
/// S of it (3 p^2 - 2 p^3), which has no corner at its ends: not in time, so that even an attack of a millisecond does
/// not click, and not in the static curve, which leaves 0 dB as a square of the way into the knee, as that of a
/// compressor does.
///
/// The level is the highest peak of the last kPeakMs, half a period of 20 Hz, so that the gate stays where it is
/// between the peaks of the lowest tone. They count as part of the hold time.
class Gate {
 public:
    static constexpr double kPeakMs = 25.0;

    struct Parameters {
        BlockValue threshold;   ///< a factor: the peak level that opens
        BlockValue hysteresis;  ///< a factor of 1 or more: as far below the threshold it closes
        BlockValue knee_db;     ///< width; 0 or more
        BlockValue attack_ms;
        BlockValue hold_ms;
        BlockValue release_ms;
        BlockValue floor;  ///< a factor: the gain while it is shut
    };

    /// `look_ahead_frames`: the sound comes out so much later than it is looked at. [control]
    Gate(double sample_rate_hz, std::uint32_t look_ahead_frames, std::uint32_t channel_count, std::uint32_t block_size);

    /// One block of all channels. `key` is what the level is that of, `out` may be `in`. [audio]
    void process(const AudioReadView& in, const AudioReadView& key, const Parameters& parameters,
                 const AudioWriteView& out) RTA_NONBLOCKING;

    [[nodiscard]] std::uint32_t latency_frames() const { return delay_.delay_frames(); }

 private:
    /// Where the gate has been for a whole block.
    enum class Stayed : std::uint8_t { nowhere, open, shut };
    struct State {
        float wanted = 0.0F;        ///< how far open the gate is to be
        bool closing = false;       ///< it follows a level that falls
        double quiet_frames = 0.0;  ///< for so long the level has been too low, but the gate is held
        double opened = 0.0;        ///< how far open it is

        void want(float opening, float keeping, double hold_frames) RTA_NONBLOCKING;
    };
    void look(const Parameters& parameters) RTA_NONBLOCKING;
    [[nodiscard]] Stayed rest() const RTA_NONBLOCKING;
    Stayed move(const Parameters& parameters) RTA_NONBLOCKING;

    double frames_per_ms_;
    double peak_frames_;
    SlidingMaximum peak_;
    FixedDelay delay_;
    std::vector<float> values_;   ///< a block: levels, then how far open the gate is, then gains
    std::vector<float> opening_;  ///< a block: how far the level opens a gate that is shut
    std::vector<float> keeping_;  ///< a block: how far open it keeps a gate that is open
    State state_;
};

}  // namespace rta::dsp
