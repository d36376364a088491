// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "api/call.h"
#include "api/output_control.h"

namespace rta::api::requests {

// Shared by mutes and panics, which take effect one after the other, across all clients, and volumes, which do not wait.

/// Writes the result of a request, with the frame if it is known.
using WriteAnswer = std::function<void(v1::Response&, std::optional<std::uint64_t> frame)>;

/// Queues the request, and returns how OutputControl reports its progress.
[[nodiscard]] OutputControl::Asked enqueue_output_call(Call& call, WriteAnswer answer);

}  // namespace rta::api::requests
