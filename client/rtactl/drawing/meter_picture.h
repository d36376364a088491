// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "rta/v1/control.pb.h"
#include "rtactl/drawing/style.h"

namespace rta::rtactl {

/// Peak hold: holds the largest peak for 1.5 s, then falls by 20 dB per second.
class PeakHold {
 public:
    /// Returns the held level in dB. `frame` is the time on the engine's clock.
    float update(float peak_db, std::uint64_t frame, double sample_rate_hz);

 private:
    float held_db_ = -150.0F;
    std::uint64_t held_at_ = 0;
    std::uint64_t seen_at_ = 0;
};

/// Draws levels as bars, one line for each channel: = is the RMS, - the peak, | the held peak. The loudness of a meter
/// follows its channels. A gain reduction is a bar that grows from the right.
class MeterPicture {
 public:
    explicit MeterPicture(double sample_rate_hz) : sample_rate_hz_{sample_rate_hz} {}
    [[nodiscard]] std::vector<StyledLine> lines(const v1::Levels& levels, std::size_t columns);

 private:
    double sample_rate_hz_;
    std::map<std::string, PeakHold> holds_;  ///< by label
};

/// Returns `[====--  |   ]` for -60 to 0 dB, with `width` characters between the brackets.
[[nodiscard]] std::string level_bar(float rms_db, float peak_db, float held_db, std::size_t width);
/// Returns `[       |  <<<]` for 30 to 0 dB: < is the current reduction, | the held largest one.
[[nodiscard]] std::string reduction_bar(float current_db, float held_db, std::size_t width);

}  // namespace rta::rtactl
