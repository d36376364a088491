// SPDX-License-Identifier: MIT
#include "graph/level_tap.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>

#include "dsp/level.h"

namespace rta {
namespace {

constexpr double kRoomSeconds = 0.25;

std::size_t ring_capacity(std::uint32_t channels, double sample_rate_hz, std::uint32_t quantum_frames,
                          std::size_t maximum) {
    const auto quanta = static_cast<std::size_t>(std::ceil(kRoomSeconds * sample_rate_hz / quantum_frames)) + 1;
    return std::bit_ceil(std::clamp(quanta * std::max(channels, 1U), std::size_t{2}, maximum));
}

}  // namespace

LevelTap::LevelTap(std::uint32_t channels, double sample_rate_hz, std::uint32_t block_size, Measures measures)
    : measures_{measures},
      maximum_channels_{channels},
      quantum_frames_{std::max(kMinimumQuantum, block_size)},
      ring_{ring_capacity(channels, sample_rate_hz, quantum_frames_, kMaximumRecords)},
      receiver_{ring_.receiver()},
      sender_{ring_.sender()},
      records_(std::max(channels, 1U)),
      programme_{measures == Measures::programme ? std::make_unique<Programme>(channels, sample_rate_hz, block_size)
                                                 : nullptr} {}

void LevelTap::enable(bool enabled) noexcept { enabled_.store(enabled, std::memory_order_release); }

void LevelTap::begin_quantum() RTA_NONBLOCKING {
    for (std::uint32_t channel = 0; channel < records_.size(); ++channel) {
        records_[channel] = {.end_frame = 0,
                             .sum_of_squares = 0.0,
                             .peak = 0.0F,
                             .true_peak = 0.0F,
                             .frame_count = 0,
                             .channel_frame_count = 0,
                             .channel = static_cast<std::uint16_t>(channel),
                             .channel_count = 0,
                             .gain = {}};
    }
}

void LevelTap::add(std::uint64_t frame, const AudioReadView& block) RTA_NONBLOCKING {
    const std::uint32_t channels = std::min(block.channel_count(), maximum_channels_);
    if (frame_count_ == 0) begin_quantum();
    for (std::uint32_t channel = 0; channel < channels; ++channel) {
        const dsp::Level level = dsp::measure_level(block.channel(channel));
        records_[channel].peak = std::max(records_[channel].peak, level.peak);
        records_[channel].sum_of_squares += static_cast<double>(level.sum_of_squares);
        records_[channel].channel_frame_count += block.frame_count();
    }
    if (programme_ != nullptr) add_programme(*programme_, frame, block);
    end_block(frame, block.frame_count(), channels);
}

void LevelTap::add(std::uint64_t frame, std::uint32_t frame_count, const dsp::GainRange& gain) RTA_NONBLOCKING {
    if (frame_count_ == 0) begin_quantum();
    records_.front().gain.add(gain);
    end_block(frame, frame_count, 0);
}

/// Sends the records if the quantum ends with this block.
void LevelTap::end_block(std::uint64_t frame, std::uint32_t frame_count, std::uint32_t channels) RTA_NONBLOCKING {
    frame_count_ += frame_count;
    const std::uint64_t end_frame = frame + frame_count;
    if (end_frame % quantum_frames_ != 0) return;
    const auto batch = std::span{records_}.first(std::max(channels, 1U));
    for (LevelRecord& record : batch) {
        record.end_frame = end_frame;
        record.frame_count = frame_count_;
        record.channel_count = static_cast<std::uint16_t>(channels);
    }
    if (sender_.try_push_batch(batch)) frame_count_ = 0;
}

void LevelTap::add_programme(Programme& programme, std::uint64_t frame, const AudioReadView& block) RTA_NONBLOCKING {
    if (frame != programme.next_frame) {
        programme.true_peak.reset();
        programme.loudness.reset();
    }
    programme.next_frame = frame + block.frame_count();
    const std::uint32_t channels = std::min(block.channel_count(), maximum_channels_);
    for (std::uint32_t channel = 0; channel < channels; ++channel) {
        LevelRecord& record = records_[channel];
        const float true_peak = programme.true_peak.process(channel, block.channel(channel));
        // True peaks arrive some frames late, but must not be reported below the peak.
        record.true_peak = std::max({record.true_peak, true_peak, record.peak});
    }
    for (const dsp::LoudnessStep& step : programme.loudness.process(frame, block)) {
        // Without room the step is lost; the reader detects the gap in the next one.
        static_cast<void>(programme.sender.try_push(step));
    }
}

}  // namespace rta
