// SPDX-License-Identifier: MIT
#include "dsp/compressor.h"

#include <algorithm>

#include "dsp/gain.h"
#include "dsp/math.h"

namespace rta::dsp {

namespace {

/// Minimum level (-200 dB), so that the logarithm is defined.
constexpr float kLowestLevel = 1e-10F;
/// Maximum level (600 dB), limited by the range of quick_exp2().
constexpr float kHighestLevel = 1e30F;
/// Smaller reductions are ignored: they change samples by rounding errors only.
constexpr double kNoReductionDb = 1e-6;

/// kDbPerOctave for smoothing and curve, which use float.
constexpr auto kDbPerOctaveFloat = static_cast<float>(kDbPerOctave);

/// Static curve: gain reduction in dB.
struct Curve {
    float threshold_db;
    float slope;  ///< 1 - 1 / ratio
    float half_knee_db;
    float bend;  ///< slope / (2 knee), or 0 without a knee

    Curve(float threshold, float ratio, float knee) RTA_NONBLOCKING : threshold_db{threshold},
                                                                      slope{1.0F - 1.0F / ratio},
                                                                      half_knee_db{knee / 2.0F},
                                                                      bend{knee > 0.0F ? slope / (2.0F * knee) : 0.0F} {
    }

    /// Quadratic within the knee, linear above it. Branch-free.
    [[nodiscard]] float reduction_db(float level_db) const RTA_NONBLOCKING {
        const float over = level_db - threshold_db;
        const float into_knee = std::min(std::max(over + half_knee_db, 0.0F), 2.0F * half_knee_db);
        const float beyond = std::max(over - half_knee_db, 0.0F);
        return bend * into_knee * into_knee + slope * beyond;
    }
};

float level_db(float level) RTA_NONBLOCKING {
    return kDbPerOctaveFloat * quick_log2(std::min(std::max(level, kLowestLevel), kHighestLevel));
}

}  // namespace

Compressor::Compressor(double sample_rate_hz, std::uint32_t look_ahead_frames, std::uint32_t channel_count,
                       std::uint32_t block_size)
    : sample_rate_hz_{sample_rate_hz},
      // A peak is held until it has been output.
      hold_{static_cast<std::uint32_t>(kHoldMs * sample_rate_hz / 1'000.0) + 1 + look_ahead_frames},
      delay_{channel_count, look_ahead_frames},
      values_(block_size) {}

void Compressor::process(const AudioReadView& in, const AudioReadView& key, const Parameters& parameters,
                         const AudioWriteView& out, GainRange* applied) RTA_NONBLOCKING {
    if (applied != nullptr) *applied = {};
    linked_level(key, values_);
    hold_.process(values_);
    const bool gain_at_rest = idle(parameters);
    if (!gain_at_rest) {
        compute_reductions(parameters);
        smooth(parameters);
        if (applied != nullptr) *applied = smoothed_range();
        compute_gains(parameters);
    }
    const float* const ramp = gain_at_rest ? parameters.makeup.ramp : values_.data();
    for (std::uint32_t channel = 0; channel < out.channel_count(); ++channel) {
        std::span<const float> delayed = in.channel(channel);
        if (delay_.delay_frames() > 0) {
            delay_.process(channel, delayed, out.channel(channel));
            delayed = out.channel(channel);
        }
        scale(delayed, parameters.makeup.value, ramp, out.channel(channel));
    }
    delay_.advance(in.frame_count());
}

/// Returns true if no gain reduction is needed for the levels of this block.
bool Compressor::idle(const Parameters& parameters) const RTA_NONBLOCKING {
    const bool at_rest = parameters.threshold_db.at_rest() && parameters.knee_db.at_rest();
    if (!at_rest || reduction_db_ != 0.0) return false;
    float highest = 0.0F;
    for (const float value : values_) highest = std::max(highest, value);
    return level_db(highest) <= parameters.threshold_db.value - parameters.knee_db.value / 2.0F;
}

/// Replaces levels by the gain reductions of the static curve.
void Compressor::compute_reductions(const Parameters& parameters) RTA_NONBLOCKING {
    const auto& [threshold_db, ratio, knee_db, attack, release, makeup] = parameters;
    if (threshold_db.at_rest() && ratio.at_rest() && knee_db.at_rest()) {
        const Curve curve{threshold_db.value, ratio.value, knee_db.value};
        for (float& value : values_) value = curve.reduction_db(level_db(value));
        return;
    }
    for (std::uint32_t n = 0; n < values_.size(); ++n) {
        const Curve curve{threshold_db[n], ratio[n], knee_db[n]};
        values_[n] = curve.reduction_db(level_db(values_[n]));
    }
}

/// Branching one-pole: attack if the wanted reduction is greater than the current one, otherwise release.
void Compressor::smooth(const Parameters& parameters) RTA_NONBLOCKING {
    const BlockValue& attack_ms = parameters.attack_ms;
    const BlockValue& release_ms = parameters.release_ms;
    double reduction_db = reduction_db_;
    for (std::uint32_t n = 0; n < values_.size(); ++n) {
        if (attack_ms[n] != attack_ms_) {
            attack_ms_ = attack_ms[n];
            attack_ = decay_per_frame(static_cast<double>(attack_ms_), sample_rate_hz_);
        }
        if (release_ms[n] != release_ms_) {
            release_ms_ = release_ms[n];
            release_ = decay_per_frame(static_cast<double>(release_ms_), sample_rate_hz_);
        }
        const auto wanted_db = static_cast<double>(values_[n]);
        // Both results are computed: a branch would take longer.
        const double away_db = reduction_db - wanted_db;
        const double attacked_db = wanted_db + attack_ * away_db;
        const double released_db = wanted_db + release_ * away_db;
        reduction_db = away_db < 0.0 ? attacked_db : released_db;
        values_[n] = static_cast<float>(reduction_db);
    }
    reduction_db_ = reduction_db < kNoReductionDb ? 0.0 : reduction_db;
}

/// Returns the range of the gains that compute_gains() is going to compute, without the make-up gain.
GainRange Compressor::smoothed_range() const RTA_NONBLOCKING {
    float largest_db = 0.0F;
    for (const float reduction_db : values_) largest_db = std::max(largest_db, reduction_db);
    return {.smallest = gain_from_db(-largest_db), .last = gain_from_db(-values_.back())};
}

/// Replaces reductions by gains.
void Compressor::compute_gains(const Parameters& parameters) RTA_NONBLOCKING {
    constexpr float kOctavesPerDb = 1.0F / kDbPerOctaveFloat;
    for (float& value : values_) value = quick_exp2(-value * kOctavesPerDb);
    scale(values_, parameters.makeup.value, parameters.makeup.ramp, values_);
}

}  // namespace rta::dsp
