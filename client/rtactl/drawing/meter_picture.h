// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

/// The largest peak of late: it stands for 1.5 s, then falls by 20 dB a second.
class PeakHold {
 public:
    /// `frame` is the engine's clock; returns the level that is held, in dB.
    float update(float peak_db, std::uint64_t frame, double sample_rate_hz);

 private:
    float held_db_ = -150.0F;
    std::uint64_t held_at_ = 0;
    std::uint64_t seen_at_ = 0;
};

/// Levels as bars, one line a channel: = is the RMS, - the peak, | the highest peak of late. Below those of a meter, a
/// line of its loudness.
class MeterPicture {
 public:
    explicit MeterPicture(double sample_rate_hz) : sample_rate_hz_{sample_rate_hz} {}
    [[nodiscard]] std::vector<std::string> lines(const v1::Levels& levels, std::size_t columns);

 private:
    double sample_rate_hz_;
    std::map<std::string, PeakHold> holds_;  ///< by label
};

/// `[====--  |   ]` of -60 to 0 dB, `width` characters between the brackets.
[[nodiscard]] std::string level_bar(float rms_db, float peak_db, float held_db, std::size_t width);

}  // namespace rta::rtactl
