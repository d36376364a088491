// SPDX-License-Identifier: MIT
#include "dsp/windowed_sinc.h"

#include "dsp/math.h"

namespace rta::dsp {

namespace {

/// Returns the modified Bessel function of the first kind of order 0.
double bessel_i0(double x) {
    const double quarter = x * x / 4.0;
    double term = 1.0;
    double sum = 1.0;
    for (double k = 1.0; term > 1e-17 * sum; k += 1.0) {
        term *= quarter / (k * k);
        sum += term;
    }
    return sum;
}

}  // namespace

double kaiser_beta(double attenuation_db) { return 0.1102 * (attenuation_db - 8.7); }

double kaiser_window(double position, double beta) {
    const double rest = 1.0 - position * position;
    return rest < 0.0 ? 0.0 : bessel_i0(beta * square_root(rest)) / bessel_i0(beta);
}

double windowed_sinc(double time, double cutoff, double half_width, double beta) {
    // Below this, sin(x) / x is 1 in double precision.
    constexpr double kNothing = 1e-9;
    const double angle = 2.0 * kPi * cutoff * time;
    const bool middle = angle > -kNothing && angle < kNothing;
    const double sinc = middle ? 1.0 : sine_of_turns(cutoff * time) / angle;
    return 2.0 * cutoff * sinc * kaiser_window(time / half_width, beta);
}

}  // namespace rta::dsp
