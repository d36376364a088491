// SPDX-License-Identifier: MIT
#pragma once

#include "rt/annotations.h"

/// The only mathematics audio is made with: libm's results differ from CPU to CPU, these do not.
/// Plain IEEE arithmetic without contraction, so that every compiler gives the same bits.
namespace rta::dsp {

inline constexpr double kPi = 3.14159265358979323846;

/// Levels at and below this are silence, exactly 0.
inline constexpr float kSilenceDb = -120.0F;

/// 2^x for -126 <= x <= 126 (clamped). Relative error below 1e-7.
[[nodiscard]] float exp2(float x) RTA_NONBLOCKING;
/// log2(x) for normal x > 0. Absolute error below 1e-6.
[[nodiscard]] float log2(float x) RTA_NONBLOCKING;
/// 10^(gain_db / 20); exactly 0 at and below kSilenceDb, exactly 1 at 0 dB. Computed in double.
[[nodiscard]] float gain_from_db(float gain_db) RTA_NONBLOCKING;

}  // namespace rta::dsp
