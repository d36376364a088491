// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rta::rtactl {

/// One filter of a list, as a band of the node type `equalizer`.
struct EqFilter {
    std::string_view kind;      ///< "peaking"; a kind of biquad_filter. Kinds that end in _1 ignore q.
    double frequency_hz = 0.0;  ///< the centre of a shelf
    double q = 0.0;
    double gain_db = 0.0;  ///< 0 for kinds without a gain
    std::size_t line = 0;  ///< from 1
};

/// A list of parametric filters. Filters that are off are left out.
struct EqList {
    std::optional<double> preamp_db{};
    std::vector<EqFilter> filters;
    std::vector<std::string> warnings{};  ///< what was skipped, each with its line
};

/// Reads a list as Equalizer APO, AutoEQ and Room EQ Wizard write it: lines such as `Preamp: -6.2 dB` and
/// `Filter 1: ON PK Fc 105 Hz Gain -2.6 dB Q 0.70`. A bandwidth in octaves is converted at this sample rate, as
/// Equalizer APO does. Skips lines that do not change the sound, and refuses what one equalizer cannot do, with the
/// number of the line.
[[nodiscard]] std::expected<EqList, std::string> parse_eq_list(std::string_view text, double sample_rate_hz);

}  // namespace rta::rtactl
