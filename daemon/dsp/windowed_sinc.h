// SPDX-License-Identifier: MIT
#pragma once

/// FIR low-pass filters: Kaiser-windowed sinc (J. F. Kaiser, "Nonrecursive digital filter design
/// using the I0-sinh window function", IEEE International Symposium on Circuits and Systems, 1974).
///
/// With a stopband attenuation of A dB and a half width of W samples, the transition band is (A - 8) / (28.7 W) of the
/// sample rate, centred on the cutoff. All [control]: slow, in double precision.
namespace rta::dsp {

/// Returns the shape parameter of the window for a stopband attenuation, and equal passband ripple, of `attenuation_db`
/// > 50.
[[nodiscard]] double kaiser_beta(double attenuation_db);

/// Returns the window at `position`: 1 at 0, the centre; 0 outside -1 to 1.
[[nodiscard]] double kaiser_window(double position, double beta);

/// Returns the impulse response at `time` in samples. `cutoff` (-6 dB) is a fraction of the sample rate. The gain at 0
/// Hz is only approximately 1.
[[nodiscard]] double windowed_sinc(double time, double cutoff, double half_width, double beta);

}  // namespace rta::dsp
