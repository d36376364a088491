// SPDX-License-Identifier: MIT
#pragma once

/// Low-pass filters of finite length: a sinc under a Kaiser window (J. F. Kaiser, "Nonrecursive digital filter design
/// using the I0-sinh window function", IEEE International Symposium on Circuits and Systems, 1974).
///
/// A stopband of A dB and a half width of W samples cost a transition band of (A - 8) / (28.7 W) of the sample rate,
/// half of it on either side of the cutoff. All [control]: slow, and as exact as a double.
namespace rta::dsp {

/// The window's shape for a stopband, and with it a ripple of the passband, of `attenuation_db` > 50.
[[nodiscard]] double kaiser_beta(double attenuation_db);

/// 1 in the middle, where `position` is 0; 0 outside -1 to 1.
[[nodiscard]] double kaiser_window(double position, double beta);

/// The impulse response at `time` in samples; `cutoff` (-6 dB) in parts of the sample rate. Not quite 1 at 0 Hz.
[[nodiscard]] double windowed_sinc(double time, double cutoff, double half_width, double beta);

}  // namespace rta::dsp
