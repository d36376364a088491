// SPDX-License-Identifier: MIT
#include "dsp/gate.h"

#include <algorithm>

#include "dsp/gain.h"
#include "dsp/linked_level.h"

namespace rta::dsp {

Gate::Gate(double sample_rate_hz, std::uint32_t block_size) : sample_rate_hz_{sample_rate_hz}, values_(block_size) {}

void Gate::process(const AudioReadView& in, const AudioReadView& key, const Parameters& parameters,
                   const AudioWriteView& out) RTA_NONBLOCKING {
    linked_level(key, values_);
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
    for (std::uint32_t channel = 0; channel < out.channel_count(); ++channel) {
        scale(in.channel(channel), gain, ramp, out.channel(channel));
    }
}

/// Whether the gate is shut and nothing opens it.
bool Gate::idle(const Parameters& parameters) const RTA_NONBLOCKING {
    if (open_ || opened_ != 0.0 || !parameters.threshold.at_rest()) return false;
    bool any = false;
    for (const float level : values_) any = any || level >= parameters.threshold.value;
    return !any;
}

/// Levels become how far open the gate is.
Gate::Stayed Gate::move(const Parameters& parameters) RTA_NONBLOCKING {
    if (idle(parameters)) return Stayed::shut;
    const double frames_per_ms = sample_rate_hz_ / 1'000.0;
    bool always_open = true;
    bool always_shut = true;
    for (std::uint32_t n = 0; n < values_.size(); ++n) {
        const float level = values_[n];
        const float threshold = parameters.threshold[n];
        if (level >= threshold) open_ = true;
        if (level * parameters.hysteresis[n] >= threshold) {
            quiet_frames_ = 0.0;
        } else {
            quiet_frames_ += 1.0;
            if (quiet_frames_ > static_cast<double>(parameters.hold_ms[n]) * frames_per_ms) open_ = false;
        }
        // A division only while the gate is on its way.
        if (open_ && opened_ < 1.0) {
            opened_ = std::min(opened_ + 1.0 / (static_cast<double>(parameters.attack_ms[n]) * frames_per_ms), 1.0);
        } else if (!open_ && opened_ > 0.0) {
            opened_ = std::max(opened_ - 1.0 / (static_cast<double>(parameters.release_ms[n]) * frames_per_ms), 0.0);
        }
        values_[n] = static_cast<float>(opened_);
        always_open = always_open && opened_ == 1.0;
        always_shut = always_shut && opened_ == 0.0;
    }
    return always_open ? Stayed::open : always_shut ? Stayed::shut : Stayed::nowhere;
}

void Gate::reset() RTA_NONBLOCKING {
    open_ = false;
    quiet_frames_ = 0.0;
    opened_ = 0.0;
}

}  // namespace rta::dsp
