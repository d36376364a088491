// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "text/error.h"

namespace rta::store {

/// What clients set of the device and its output. [any]
struct OutputState {
    bool muted = false;
    float volume_db = 0.0F;           ///< kMinimumVolumeDb to kMaximumVolumeDb
    std::string device{};             ///< the device that a client has set; empty: none
    std::string configured_device{};  ///< --device at that time: if it has changed since, it counts

    [[nodiscard]] bool operator==(const OutputState&) const = default;
};

/// Reads the text of `output.json`. INVALID_ARGUMENT if `muted` is missing, for unknown keys, for a volume out of range,
/// for a configured device without a device, for names that are not UTF-8, or if the text is not JSON.
[[nodiscard]] Expected<OutputState> read_output_state(std::string_view text);

/// Writes the JSON form. Ends with a newline.
[[nodiscard]] std::string write_output_state(const OutputState& state);

}  // namespace rta::store
