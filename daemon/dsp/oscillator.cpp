// SPDX-License-Identifier: MIT
#include "dsp/oscillator.h"

#include <algorithm>
#include <cassert>

#include "dsp/windowed_sinc.h"

namespace rta::dsp {

namespace {

constexpr std::uint64_t kHalfTurn = 0x8000'0000'0000'0000;
constexpr std::uint64_t kQuarterTurn = 0x4000'0000'0000'0000;

/// Returns the phase as a number between -1 and 1: a saw that is 0 at phase 0.
float saw_of(std::uint64_t phase) RTA_NONBLOCKING {
    return static_cast<float>(static_cast<std::int32_t>(static_cast<std::uint32_t>(phase >> 32U))) * 0x1p-31F;
}

float part_of(std::uint64_t numerator, std::uint64_t denominator) RTA_NONBLOCKING {
    return static_cast<float>(static_cast<double>(numerator) / static_cast<double>(denominator));
}

std::uint64_t phase_of(float cycles) RTA_NONBLOCKING {
    return static_cast<std::uint64_t>(static_cast<double>(cycles) * 0x1p64);
}

}  // namespace

class BandLimitedOscillator::Residuals {
 public:
    /// Returns the shared instance. The first call computes it, which takes some milliseconds. [control]
    static const Residuals& instance() {
        static const Residuals residuals;
        return residuals;
    }

    /// Adds the residual of a step by `height` to `sum`, which has kTaps frames. The step is `past` frames, 0 to 1,
    /// before the first frame of the second half of `sum`.
    void add_step(float height, float past, float* sum) const RTA_NONBLOCKING { add(steps_, height, past, sum); }
    /// Adds the residual of a corner at which the slope changes by `height` per frame.
    void add_corner(float height, float past, float* sum) const RTA_NONBLOCKING { add(corners_, height, past, sum); }

 private:
    /// With this number of positions, the error of linear interpolation is 100 dB below the step.
    static constexpr std::size_t kPositions = 128;
    using Rows = std::array<std::array<float, kTaps>, kPositions + 1>;

    static constexpr double kAttenuationDb = 86.0;
    /// Cutoff as a fraction of the sample rate; the stopband starts at 1/2.
    static constexpr double kCutoff = 0.5 - 0.5 * (kAttenuationDb - 8.0) / (28.7 * static_cast<double>(kHalfWidth));

    Residuals() {
        // The step response is the integral of the impulse response, and the response to a corner is the integral of
        // the step response. Both are integrated with Simpson's rule on a grid of twice the needed resolution.
        constexpr std::size_t kSteps = 2 * kTaps * kPositions;
        constexpr double kWidth = 0.5 / static_cast<double>(kPositions);
        const double beta = kaiser_beta(kAttenuationDb);
        const auto impulse = [&](double steps) {
            return windowed_sinc(steps * kWidth - static_cast<double>(kHalfWidth), kCutoff,
                                 static_cast<double>(kHalfWidth), beta);
        };
        std::vector<double> step(kSteps + 1);
        for (std::size_t i = 0; i < kSteps; ++i) {
            const double at = static_cast<double>(i);
            step[i + 1] = step[i] + kWidth / 6.0 * (impulse(at) + 4.0 * impulse(at + 0.5) + impulse(at + 1.0));
        }
        for (double& value : step) value /= step.back();
        std::vector<double> corner(kSteps + 1);  // at even indices
        for (std::size_t i = 0; i < kSteps; i += 2) {
            corner[i + 2] = corner[i] + kWidth / 3.0 * (step[i] + 4.0 * step[i + 1] + step[i + 2]);
        }
        for (std::size_t position = 0; position <= kPositions; ++position) {
            for (std::size_t tap = 0; tap < kTaps; ++tap) {
                const std::size_t i = 2 * (tap * kPositions + position);
                const double time = static_cast<double>(i) * kWidth - static_cast<double>(kHalfWidth);
                steps_[position][tap] = static_cast<float>(step[i] - (tap < kHalfWidth ? 0.0 : 1.0));
                corners_[position][tap] = static_cast<float>(corner[i] - std::max(time, 0.0));
            }
        }
    }

    static void add(const Rows& rows, float height, float past, float* sum) RTA_NONBLOCKING {
        const float position = past * static_cast<float>(kPositions);
        const auto row = std::min(static_cast<std::size_t>(position), kPositions - 1);
        const float second = height * (position - static_cast<float>(row));
        const float first = height - second;
        const float* const before = rows[row].data();
        const float* const after = rows[row + 1].data();
        for (std::size_t tap = 0; tap < kTaps; ++tap) sum[tap] += first * before[tap] + second * after[tap];
    }

    Rows steps_;
    Rows corners_;
};

BandLimitedOscillator::BandLimitedOscillator(Shape shape, double sample_rate_hz, std::size_t block_size)
    : residuals_{&Residuals::instance()},
      sample_rate_hz_{sample_rate_hz},
      shape_{shape},
      moving_(block_size),
      sum_(std::max(block_size, kTaps) + kTaps) {}

std::uint64_t BandLimitedOscillator::increment_of(float frequency_hz) const RTA_NONBLOCKING {
    const double cycles_per_frame = static_cast<double>(frequency_hz) / sample_rate_hz_;
    // Less than half a turn, so that no frame contains two corners of a triangle.
    return cycles_per_frame < 0.5 ? static_cast<std::uint64_t>(cycles_per_frame * 0x1p64) : kHalfTurn - 1;
}

BandLimitedOscillator::Increments BandLimitedOscillator::increments_of(const FrameValues& frequency_hz,
                                                                       std::size_t frames) RTA_NONBLOCKING {
    if (frequency_hz.ramp != nullptr) {
        for (std::size_t frame = 0; frame < frames; ++frame) moving_[frame] = increment_of(frequency_hz[frame]);
        return {.ramp = moving_.data()};
    }
    if (frequency_hz.value != frequency_hz_) {
        frequency_hz_ = frequency_hz.value;
        increment_ = increment_of(frequency_hz_);
    }
    return {.value = increment_};
}

void BandLimitedOscillator::render(const FrameValues& frequency_hz, const FrameValues& pulse_width,
                                   std::span<float> out) RTA_NONBLOCKING {
    assert(out.size() % kKernelFrames == 0 && out.size() <= moving_.size());
    if (!started_) start(frequency_hz, pulse_width);
    generate(increments_of(frequency_hz, out.size()), pulse_width, out.size());
    std::copy_n(sum_.data(), out.size(), out.data());
    shift(out.size());
}

void BandLimitedOscillator::start(const FrameValues& frequency_hz, const FrameValues& pulse_width) RTA_NONBLOCKING {
    // Start as if the oscillator had always been running: residuals of earlier steps reach into the first frames.
    const std::uint64_t increment = increment_of(frequency_hz[0]);
    phase_ = 0 - increment * kHalfWidth;
    pulse_width_ = phase_of(pulse_width[0]);
    generate({.value = increment}, {.value = pulse_width[0]}, kTaps);
    shift(kTaps);
    started_ = true;
}

void BandLimitedOscillator::generate(const Increments& increments, const FrameValues& pulse_width,
                                     std::size_t frames) RTA_NONBLOCKING {
    switch (shape_) {
        case Shape::saw:
            add_saw(phase_, increments, 1.0F, frames);
            break;
        case Shape::square:
            // Two saws whose phases differ by the pulse width: their slopes cancel, and neither has DC. Each is shifted
            // so that its step, at half a turn, is at the start or the end of the pulse.
            add_saw(phase_ + kHalfTurn, increments, -1.0F, frames);
            add_pulse_end(increments, pulse_width, frames);
            break;
        case Shape::triangle:
            add_triangle(increments, frames);
            break;
    }
    advance(increments, frames);
}

void BandLimitedOscillator::add_saw(std::uint64_t phase, const Increments& increments, float sign,
                                    std::size_t frames) RTA_NONBLOCKING {
    float* const plain = sum_.data() + kHalfWidth;
    if (increments.ramp == nullptr) {
        for (std::size_t frame = 0; frame < frames; ++frame) {
            plain[frame] += sign * saw_of(phase + increments.value * frame);
        }
    }
    std::uint64_t since_jump = phase + kHalfTurn;
    for (std::size_t frame = 0; frame < frames; ++frame) {
        if (increments.ramp != nullptr) plain[frame] += sign * saw_of(since_jump - kHalfTurn);
        const std::uint64_t increment = increments[frame];
        since_jump += increment;
        if (since_jump >= increment) continue;
        residuals_->add_step(-2.0F * sign, part_of(since_jump, increment), sum_.data() + frame + 1);
    }
}

void BandLimitedOscillator::add_pulse_end(const Increments& increments, const FrameValues& pulse_width,
                                          std::size_t frames) RTA_NONBLOCKING {
    if (pulse_width.ramp == nullptr && phase_of(pulse_width.value) == pulse_width_) {
        add_saw(phase_ + kHalfTurn - pulse_width_, increments, 1.0F, frames);
        return;
    }
    // If the width grows faster than the phase, the end of the pulse moves away from the phase: steps go backwards.
    float* const plain = sum_.data() + kHalfWidth;
    std::uint64_t since_jump = phase_ - pulse_width_;
    for (std::size_t frame = 0; frame < frames; ++frame) {
        plain[frame] += saw_of(since_jump - kHalfTurn);
        const std::uint64_t width = phase_of(pulse_width[frame]);
        const std::uint64_t step = increments[frame] - (width - pulse_width_);
        pulse_width_ = width;
        since_jump += step;
        float* const sum = sum_.data() + frame + 1;
        if (step < kHalfTurn && since_jump < step) {
            residuals_->add_step(-2.0F, part_of(since_jump, step), sum);
        } else if (step >= kHalfTurn && since_jump >= step) {
            residuals_->add_step(2.0F, part_of(0 - since_jump, 0 - step), sum);
        }
    }
}

void BandLimitedOscillator::add_triangle(const Increments& increments, std::size_t frames) RTA_NONBLOCKING {
    float* const plain = sum_.data() + kHalfWidth;
    std::uint64_t since_trough = phase_ + kQuarterTurn;
    for (std::size_t frame = 0; frame < frames; ++frame) {
        const float saw = saw_of(since_trough);
        plain[frame] += 2.0F * (saw < 0.0F ? -saw : saw) - 1.0F;
        const std::uint64_t increment = increments[frame];
        since_trough += increment;
        const std::uint64_t since_corner = since_trough << 1U;
        if (since_corner >= increment << 1U) continue;
        const float bend = 8.0F * static_cast<float>(static_cast<double>(increment) * 0x1p-64);
        residuals_->add_corner(since_trough < kHalfTurn ? bend : -bend, part_of(since_corner, increment << 1U),
                               sum_.data() + frame + 1);
    }
}

void BandLimitedOscillator::advance(const Increments& increments, std::size_t frames) RTA_NONBLOCKING {
    if (increments.ramp == nullptr) {
        phase_ += increments.value * frames;
    } else {
        for (std::size_t frame = 0; frame < frames; ++frame) phase_ += increments[frame];
    }
}

void BandLimitedOscillator::shift(std::size_t frames) RTA_NONBLOCKING {
    std::copy(sum_.begin() + static_cast<std::ptrdiff_t>(frames),
              sum_.begin() + static_cast<std::ptrdiff_t>(frames + kTaps), sum_.begin());
    std::fill(sum_.begin() + static_cast<std::ptrdiff_t>(kTaps),
              sum_.begin() + static_cast<std::ptrdiff_t>(frames + kTaps), 0.0F);
}

}  // namespace rta::dsp
