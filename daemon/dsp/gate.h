// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "dsp/audio_view.h"
#include "dsp/block_value.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// Lets sound through while it is louder than a threshold, all channels alike.
///
/// The gate opens in the frame in which the loudest channel reaches the threshold, and closes when for the hold time
/// none has reached the threshold less the hysteresis (the two thresholds and the hold of D. Giannoulis, M. Massberg
/// and J. D. Reiss, "Digital Dynamic Range Compressor Design", J. Audio Eng. Soc. 60(6), 2012, for noise gates). From
/// shut to open the gain takes the attack time, back the release time, on an S (3 p^2 - 2 p^3), which has no corner at
/// its ends, so that even an attack of a millisecond does not click.
class Gate {
 public:
    struct Parameters {
        BlockValue threshold;   ///< a factor: the peak level that opens
        BlockValue hysteresis;  ///< a factor of 1 or more: as far below the threshold it closes
        BlockValue attack_ms;
        BlockValue hold_ms;
        BlockValue release_ms;
        BlockValue floor;  ///< a factor: the gain while it is shut
    };

    /// [control]
    Gate(double sample_rate_hz, std::uint32_t block_size);

    /// One block of all channels. `key` is what the level is that of, `out` may be `in`. [audio]
    void process(const AudioReadView& in, const AudioReadView& key, const Parameters& parameters,
                 const AudioWriteView& out) RTA_NONBLOCKING;
    /// Shut. [audio]
    void reset() RTA_NONBLOCKING;

 private:
    /// Where the gate has been for a whole block.
    enum class Stayed : std::uint8_t { nowhere, open, shut };
    [[nodiscard]] bool idle(const Parameters& parameters) const RTA_NONBLOCKING;
    Stayed move(const Parameters& parameters) RTA_NONBLOCKING;

    double sample_rate_hz_;
    std::vector<float> values_;  ///< a block: levels, then how far open the gate is, then gains
    bool open_ = false;          ///< opening or open
    double quiet_frames_ = 0.0;  ///< since the level was last high enough to stay open
    double opened_ = 0.0;        ///< 0 to 1
};

}  // namespace rta::dsp
