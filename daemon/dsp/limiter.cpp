// SPDX-License-Identifier: MIT
#include "dsp/limiter.h"

#include <algorithm>
#include <bit>

#include "dsp/math.h"

namespace rta::dsp {

namespace {

/// Gains this close to 1 count as 1: they would change no sample.
constexpr double kNoReduction = 0x1p-25;

/// Returns the largest power of two of which `count` can be summed without overflow, so that the resolution of gains is
/// as fine as possible.
std::int64_t largest_unit(std::uint64_t count) { return std::int64_t{1} << (62 - std::bit_width(count)); }

}  // namespace

void Limiter::RunningSum::fill(std::int64_t value) RTA_NONBLOCKING {
    std::ranges::fill(values_, value);
    place_ = 0;
    sum_ = value * static_cast<std::int64_t>(values_.size());
}

void Limiter::RunningSum::process(std::span<std::int64_t> values) RTA_NONBLOCKING {
    std::int64_t sum = sum_;
    std::size_t place = place_;
    for (std::int64_t& value : values) {
        sum += value - values_[place];
        values_[place] = value;
        value = sum;
        place = place + 1 == values_.size() ? 0 : place + 1;
    }
    sum_ = sum;
    place_ = place;
}

// Moving averages of a and b frames reach back a + b - 2 frames. To reach the minimum kGuardFrames before a peak, the
// signal is delayed by a + b - 2 + kGuardFrames relative to the detection of the peak. To stay there until kGuardFrames
// after the frame that follows the peak, the peak is held for kGuardFrames + 2 frames more than that.
Limiter::Limiter(double sample_rate_hz, std::uint32_t look_ahead_frames, std::uint32_t channel_count,
                 std::uint32_t block_size)
    : sample_rate_hz_{sample_rate_hz},
      true_peak_{channel_count, block_size},
      hold_frames_{look_ahead_frames + 2 * kGuardFrames + 2},
      smooth_frames_{look_ahead_frames + 1},
      hold_{hold_frames_},
      one_{largest_unit(std::uint64_t{(smooth_frames_ + 1) / 2} * (smooth_frames_ / 2))},
      first_{(smooth_frames_ + 1) / 2, one_},
      second_{smooth_frames_ / 2, first_.sum()},
      full_sum_{static_cast<double>(second_.sum())},
      delay_{channel_count, TruePeak::kLatency + look_ahead_frames - 1 + kGuardFrames},
      ceiling_delay_{1, look_ahead_frames - 1 + kGuardFrames},
      values_(block_size),
      sums_(block_size),
      ceilings_(block_size) {}

void Limiter::process(const AudioReadView& in, BlockValue ceiling, BlockValue release_ms, const AudioWriteView& out,
                      GainRange* applied) RTA_NONBLOCKING {
    if (ceiling.at_rest()) {
        std::ranges::fill(ceilings_, ceiling.value);
    } else {
        std::copy_n(ceiling.ramp, ceilings_.size(), ceilings_.data());
    }
    true_peak_.process(in, ceilings_, values_);
    const bool limits = compute_gains(release_ms);
    if (applied != nullptr) *applied = limits ? GainRange::of(values_) : GainRange{};
    ceiling_delay_.process(0, ceilings_, ceilings_);
    ceiling_delay_.advance(in.frame_count());
    for (std::uint32_t channel = 0; channel < out.channel_count(); ++channel) {
        const std::span<float> samples = out.channel(channel);
        delay_.process(channel, in.channel(channel), samples);
        if (!limits) continue;
        // Rounding may raise a sample above the ceiling by its last bit.
        for (std::size_t n = 0; n < samples.size(); ++n) {
            samples[n] = std::clamp(samples[n] * values_[n], -ceilings_[n], ceilings_[n]);
        }
    }
    delay_.advance(in.frame_count());
}

/// Replaces peaks by gains. Returns false and writes nothing if all gains are 1.
bool Limiter::compute_gains(BlockValue release_ms) RTA_NONBLOCKING {
    bool over = false;
    for (std::size_t n = 0; n < values_.size(); ++n) over = over || values_[n] > ceilings_[n];
    // The held peak is below the ceiling and both averages contain only gains of 1: no update is needed.
    if (!over && calm_frames_ >= smooth_frames_) return false;

    for (std::size_t n = 0; n < values_.size(); ++n) values_[n] = std::max(values_[n] / ceilings_[n], 1.0F);
    hold_.process(values_);
    double gain = gain_;
    for (std::uint32_t n = 0; n < values_.size(); ++n) {
        if (release_ms[n] != release_ms_) {
            release_ms_ = release_ms[n];
            release_ = decay_per_frame(static_cast<double>(release_ms_), sample_rate_hz_);
        }
        const double released = 1.0 - release_ * (1.0 - gain);
        gain = std::min(1.0 / static_cast<double>(values_[n]), released);
        if (gain > 1.0 - kNoReduction) gain = 1.0;
        calm_frames_ = gain < 1.0 ? 0 : calm_frames_ + 1;
        sums_[n] = static_cast<std::int64_t>(gain * static_cast<double>(one_));
    }
    gain_ = gain;
    first_.process(sums_);
    second_.process(sums_);
    for (std::size_t n = 0; n < values_.size(); ++n) {
        values_[n] = static_cast<float>(static_cast<double>(sums_[n]) / full_sum_);
    }
    return true;
}

}  // namespace rta::dsp
