// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace rta::app {

/// Bytes that the machine can still give this process: what is available, or less where a limit of its control group or
/// of its address space is nearer. [any]
[[nodiscard]] std::uint64_t memory_left_bytes();

}  // namespace rta::app
