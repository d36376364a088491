// SPDX-License-Identifier: MIT
#include "dsp/gate.h"

#include <algorithm>
#include <span>

#include "dsp/gain.h"
#include "dsp/math.h"

namespace rta::dsp {

namespace {

/// Minimum threshold (-120 dB).
constexpr float kLowestThreshold = 1e-6F;
/// Maximum quotient of level and threshold, so that the logarithm is defined.
constexpr float kLargestQuotient = 1e20F;
/// Minimum width of the knee in dB, so that it can be a divisor.
constexpr float kNarrowestKnee = 1e-6F;

/// Opening of the gate within the knee as a function of the level.
struct Knee {
    float scale;       ///< converts levels to quotients of the threshold
    float hysteresis;  ///< in octaves
    float opened_per_octave;

    Knee(float threshold, float hysteresis_factor, float knee_db) RTA_NONBLOCKING
        : scale{1.0F / std::max(threshold, kLowestThreshold)},
          hysteresis{quick_log2(hysteresis_factor)},
          opened_per_octave{static_cast<float>(kDbPerOctave) / std::max(knee_db, kNarrowestKnee)} {}

    [[nodiscard]] float octaves(float level) const RTA_NONBLOCKING {
        return quick_log2(std::min(std::max(level * scale, 1.0F / kLargestQuotient), kLargestQuotient));
    }
    [[nodiscard]] float opened(float octaves) const RTA_NONBLOCKING {
        return std::min(std::max(octaves * opened_per_octave + 0.5F, 0.0F), 1.0F);
    }
};

}  // namespace

Gate::Gate(double sample_rate_hz, std::uint32_t look_ahead_frames, std::uint32_t channel_count,
           std::uint32_t block_size)
    : frames_per_ms_{sample_rate_hz / 1'000.0},
      peak_frames_{static_cast<double>(static_cast<std::uint32_t>(kPeakMs * frames_per_ms_))},
      // A peak is held until it has been output.
      peak_{static_cast<std::uint32_t>(peak_frames_) + 1 + look_ahead_frames},
      delay_{channel_count, look_ahead_frames},
      values_(block_size),
      opening_(block_size),
      keeping_(block_size) {}

void Gate::process(const AudioReadView& in, const AudioReadView& key, const Parameters& parameters,
                   const AudioWriteView& out, GainRange* applied) RTA_NONBLOCKING {
    linked_level(key, values_);
    peak_.process(values_);
    look(parameters);
    float gain = 0.0F;
    const float* ramp = values_.data();
    switch (move(parameters)) {
        case Stayed::open:
            gain = 1.0F;
            ramp = nullptr;
            break;
        case Stayed::shut:
            gain = parameters.floor.value;
            ramp = parameters.floor.ramp;
            break;
        case Stayed::nowhere:
            for (std::uint32_t n = 0; n < values_.size(); ++n) {
                const float p = values_[n];
                const float floor = parameters.floor[n];
                values_[n] = floor + (1.0F - floor) * (p * p * (3.0F - 2.0F * p));
            }
            break;
    }
    if (applied != nullptr)
        *applied = ramp == nullptr ? GainRange{.smallest = gain, .last = gain} : GainRange::of({ramp, values_.size()});
    for (std::uint32_t channel = 0; channel < out.channel_count(); ++channel) {
        std::span<const float> delayed = in.channel(channel);
        if (delay_.delay_frames() > 0) {
            delay_.process(channel, delayed, out.channel(channel));
            delayed = out.channel(channel);
        }
        scale(delayed, gain, ramp, out.channel(channel));
    }
    delay_.advance(in.frame_count());
}

/// Computes the openings for the levels of the block.
void Gate::look(const Parameters& parameters) RTA_NONBLOCKING {
    const auto& [threshold, hysteresis, knee_db, attack, hold, release, floor] = parameters;
    const bool at_rest = threshold.at_rest() && hysteresis.at_rest();
    if (at_rest && knee_db.is(0.0F)) {
        for (std::size_t n = 0; n < values_.size(); ++n) {
            opening_[n] = values_[n] >= threshold.value ? 1.0F : 0.0F;
            keeping_[n] = values_[n] * hysteresis.value >= threshold.value ? 1.0F : 0.0F;
        }
        return;
    }
    if (at_rest && knee_db.at_rest()) {
        const Knee knee{threshold.value, hysteresis.value, knee_db.value};
        for (float& value : values_) value = knee.octaves(value);
        for (std::size_t n = 0; n < values_.size(); ++n) opening_[n] = knee.opened(values_[n]);
        for (std::size_t n = 0; n < values_.size(); ++n) keeping_[n] = knee.opened(values_[n] + knee.hysteresis);
        return;
    }
    for (std::uint32_t n = 0; n < values_.size(); ++n) {
        const Knee knee{threshold[n], hysteresis[n], knee_db[n]};
        const float octaves = knee.octaves(values_[n]);
        opening_[n] = knee.opened(octaves);
        keeping_[n] = knee.opened(octaves + knee.hysteresis);
    }
}

/// Returns the state in which the gate stays for the whole block, if a quick check can determine it.
Gate::Stayed Gate::rest() const RTA_NONBLOCKING {
    if (state_.wanted == 0.0F && state_.opened == 0.0) {
        bool any = false;
        for (const float opening : opening_) any = any || opening > 0.0F;
        if (!any) return Stayed::shut;
    } else if (state_.wanted == 1.0F && state_.opened == 1.0) {
        bool all = true;
        for (const float keeping : keeping_) all = all && keeping == 1.0F;
        if (all) return Stayed::open;
    }
    return Stayed::nowhere;
}

/// Updates the target opening for one frame.
void Gate::State::want(float opening, float keeping, double hold_frames) RTA_NONBLOCKING {
    if (opening > wanted || keeping > wanted) {
        wanted = std::max(wanted, opening);
        closing = false;
    } else if (keeping < wanted && !closing) {
        quiet_frames += 1.0;
        closing = quiet_frames > hold_frames;
        if (!closing) return;
    }
    quiet_frames = 0.0;
    if (closing) wanted = keeping;
}

/// Replaces values by the openings of the gate.
Gate::Stayed Gate::move(const Parameters& parameters) RTA_NONBLOCKING {
    if (const Stayed stayed = rest(); stayed != Stayed::nowhere) {
        state_.quiet_frames = 0.0;
        return stayed;
    }
    State state = state_;
    bool always_open = true;
    bool always_shut = true;
    for (std::uint32_t n = 0; n < values_.size(); ++n) {
        const double hold_frames = static_cast<double>(parameters.hold_ms[n]) * frames_per_ms_;
        state.want(opening_[n], keeping_[n], hold_frames - peak_frames_);
        // Divide only while the gate is moving.
        const auto wanted = static_cast<double>(state.wanted);
        if (state.opened < wanted) {
            const double step = 1.0 / (static_cast<double>(parameters.attack_ms[n]) * frames_per_ms_);
            state.opened = std::min(state.opened + step, wanted);
        } else if (state.opened > wanted) {
            const double step = 1.0 / (static_cast<double>(parameters.release_ms[n]) * frames_per_ms_);
            state.opened = std::max(state.opened - step, wanted);
        }
        values_[n] = static_cast<float>(state.opened);
        always_open = always_open && state.opened == 1.0;
        always_shut = always_shut && state.opened == 0.0;
    }
    state_ = state;
    return always_open ? Stayed::open : always_shut ? Stayed::shut : Stayed::nowhere;
}

}  // namespace rta::dsp
