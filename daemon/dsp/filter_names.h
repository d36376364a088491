// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "dsp/filter_kernels.h"

namespace rta::dsp {

/// Names of the kinds that users can choose, in the order of FilterKind.
inline constexpr std::array<std::string_view, 14> kFilterKindNames{
    "lowpass",   "highpass",   "bandpass_skirt", "bandpass_peak", "notch",     "allpass",     "peaking",
    "low_shelf", "high_shelf", "lowpass_1",      "highpass_1",    "allpass_1", "low_shelf_1", "high_shelf_1"};
static_assert(static_cast<std::size_t>(FilterKind::high_shelf_1) + 1 == kFilterKindNames.size());

/// Returns the kind of a name in kFilterKindNames.
[[nodiscard]] constexpr FilterKind filter_kind(std::string_view name) {
    return static_cast<FilterKind>(std::ranges::find(kFilterKindNames, name) - kFilterKindNames.begin());
}
static_assert(filter_kind("peaking") == FilterKind::peaking && filter_kind("allpass_1") == FilterKind::allpass_1);

}  // namespace rta::dsp
