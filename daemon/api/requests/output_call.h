// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "api/call.h"
#include "api/output_control.h"

namespace rta::api::requests {

// Shared by mutes and panics, which take effect one after the other, across all clients.

/// Queues the request, and returns how OutputControl reports its progress. `answer` writes the result, with the
/// frame if it is known.
[[nodiscard]] OutputControl::Asked enqueue_output_call(Call& call, void (*answer)(v1::Response&,
                                                                                  std::optional<std::uint64_t> frame));

}  // namespace rta::api::requests
