// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

#include "dsp/math.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// First-order high-pass: the bilinear transform of the analogue filter, pre-warped at the corner frequency. -3.01 dB
/// at the corner, 6.02 dB per octave below, gain 1 at half the sample rate, exactly 0 at 0 Hz.
///
///     y[n] = pole y[n-1] + gain (x[n] - x[n-1])
///
/// For corner frequencies far below the sample rate the pole is very close to 1, so the state is a double.
class DcBlocker {
 public:
    struct Coefficients {
        double pole;
        double gain;
    };

    /// Returns the coefficients. 0 < `corner_hz` < half the sample rate. [any]
    [[nodiscard]] static Coefficients coefficients(double corner_hz, double sample_rate_hz) RTA_NONBLOCKING {
        const double half_angle = 0.5 * corner_hz / sample_rate_hz;
        const double tangent = sine_of_turns(half_angle) / cosine_of_turns(half_angle);
        const double gain = 1.0 / (1.0 + tangent);
        return {.pole = (1.0 - tangent) * gain, .gain = gain};
    }

    /// Processes one block with constant coefficients. `out` may be `in`; its size is a multiple of 4. [audio]
    void process(const Coefficients& coefficients, std::span<const float> in, std::span<float> out) RTA_NONBLOCKING {
        // Four frames together, so that only one operation depends on the previous four frames.
        const double pole = coefficients.pole;
        const double gain = coefficients.gain;
        const double pole2 = pole * pole;
        const double pole3 = pole2 * pole;
        const double pole4 = pole2 * pole2;
        double before = static_cast<double>(before_);
        double state = state_;
        for (std::size_t frame = 0; frame < out.size(); frame += 4) {
            const double x0 = static_cast<double>(in[frame]);
            const double x1 = static_cast<double>(in[frame + 1]);
            const double x2 = static_cast<double>(in[frame + 2]);
            const double x3 = static_cast<double>(in[frame + 3]);
            const double y0 = gain * (x0 - before);
            const double y1 = pole * y0 + gain * (x1 - x0);
            const double y2 = pole * y1 + gain * (x2 - x1);
            const double y3 = pole * y2 + gain * (x3 - x2);
            out[frame] = static_cast<float>(y0 + pole * state);
            out[frame + 1] = static_cast<float>(y1 + pole2 * state);
            out[frame + 2] = static_cast<float>(y2 + pole3 * state);
            state = y3 + pole4 * state;
            out[frame + 3] = static_cast<float>(state);
            before = x3;
        }
        keep(before, state);
    }

    /// Processes one block with coefficients for each frame. [audio]
    void process(std::span<const Coefficients> coefficients, std::span<const float> in,
                 std::span<float> out) RTA_NONBLOCKING {
        double before = static_cast<double>(before_);
        double state = state_;
        for (std::size_t frame = 0; frame < out.size(); ++frame) {
            const double x = static_cast<double>(in[frame]);
            state = coefficients[frame].pole * state + coefficients[frame].gain * (x - before);
            out[frame] = static_cast<float>(state);
            before = x;
        }
        keep(before, state);
    }

 private:
    void keep(double before, double state) RTA_NONBLOCKING {
        constexpr double kSilence = 1e-30;  // far below the resolution of a float near any audible level
        before_ = static_cast<float>(before);
        state_ = state < kSilence && state > -kSilence ? 0.0 : state;
    }

    float before_ = 0.0F;  ///< the last input
    double state_ = 0.0;   ///< the last output
};

}  // namespace rta::dsp
