// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "dsp/audio_view.h"
#include "dsp/loudness.h"
#include "dsp/true_peak.h"

namespace rta::io {

/// Levels of a whole programme.
struct ProgrammeLevels {
    struct Channel {
        float peak = 0.0F;
        float true_peak = 0.0F;  ///< at least the peak
        double sum_of_squares = 0.0;
    };
    std::vector<Channel> channels;
    std::uint64_t frame_count = 0;
    dsp::Loudness loudness = {};  ///< of all channels together
};

/// Measures some adjacent channels of a programme. Samples between the last frames count for the true peak only up to
/// kBlock + dsp::TruePeakMeter::kLatency frames before the end.
class ProgrammeMeter {
 public:
    static constexpr std::uint32_t kBlock = 64;

    /// Channels that the programme does not have are not measured. `first_channel` starts at 0.
    ProgrammeMeter(std::uint32_t first_channel, std::uint32_t channel_count, std::uint32_t sample_rate_hz);

    /// Measures kBlock frames of all channels of the programme, of which the first `frames` count. Only the last block
    /// may have fewer than kBlock; the rest of its samples must be 0.
    void add(const AudioReadView& block, std::uint32_t frames);

    [[nodiscard]] const ProgrammeLevels& levels() const noexcept { return levels_; }

 private:
    std::uint32_t first_channel_;
    std::vector<const float*> channels_;  ///< of the block
    dsp::TruePeakMeter true_peak_;
    dsp::LoudnessFilter filter_;
    dsp::LoudnessMeter loudness_;
    ProgrammeLevels levels_;
};

}  // namespace rta::io
