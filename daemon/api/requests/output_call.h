// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "api/call.h"
#include "api/output_control.h"

namespace rta::api::requests {

// What mutes and panics share: they take effect one after the other, across all clients.

/// Puts the request in line, and returns how OutputControl reports its progress. `answer` writes the result, with the
/// frame if it is known.
[[nodiscard]] OutputControl::Asked stand_in_line(Call& call,
                                                 void (*answer)(v1::Response&, std::optional<std::uint64_t> frame));

}  // namespace rta::api::requests
