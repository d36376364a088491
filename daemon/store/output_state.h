// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "text/error.h"

namespace rta::store {

/// What clients set of the device output. [any]
struct OutputState {
    bool muted = false;

    [[nodiscard]] bool operator==(const OutputState&) const = default;
};

/// Reads the text of `output.json`. INVALID_ARGUMENT for anything but what write_output_state() writes; white space may
/// differ.
[[nodiscard]] Expected<OutputState> read_output_state(std::string_view text);

/// Writes the JSON form. Ends with a newline.
[[nodiscard]] std::string write_output_state(const OutputState& state);

}  // namespace rta::store
