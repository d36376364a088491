// SPDX-License-Identifier: MIT
#include "io/programme_meter.h"

#include <algorithm>

#include "dsp/level.h"

namespace rta::io {

ProgrammeMeter::ProgrammeMeter(std::uint32_t first_channel, std::uint32_t channel_count, std::uint32_t sample_rate_hz)
    : first_channel_{first_channel},
      channels_(channel_count),
      true_peak_{channel_count, kBlock},
      filter_{channel_count, static_cast<double>(sample_rate_hz), kBlock} {
    levels_.channels.resize(channel_count);
}

void ProgrammeMeter::add(const AudioReadView& block, std::uint32_t frames) {
    for (std::uint32_t i = 0; i < channels_.size(); ++i) {
        const std::span<const float> samples = block.channel(first_channel_ + i);
        channels_[i] = samples.data();
        const dsp::Level level = dsp::measure_level(samples);
        ProgrammeLevels::Channel& channel = levels_.channels[i];
        channel.peak = std::max(channel.peak, level.peak);
        channel.sum_of_squares += static_cast<double>(level.sum_of_squares);
        // The step to the zeros after the end would overshoot.
        const float true_peak = frames == kBlock ? true_peak_.process(i, samples, channel.true_peak) : 0.0F;
        channel.true_peak = std::max({channel.true_peak, true_peak, channel.peak});
    }
    const AudioReadView measured{channels_.data(), static_cast<std::uint32_t>(channels_.size()), kBlock};
    for (const dsp::LoudnessStep& step : filter_.process(levels_.frame_count, measured)) loudness_.add(step);
    levels_.frame_count += frames;
    levels_.loudness = loudness_.loudness();
}

}  // namespace rta::io
