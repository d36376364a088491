// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace rta::os {

/// Locks all memory of the process, current and future, page by page when it is first touched. Returns false and sets
/// errno if that is not possible.
[[nodiscard]] bool lock_memory();

/// Returns free memory of the heap to the system, also memory that lock_memory() has locked, except `keep_bytes` at the
/// end of the heap. Does nothing if it is less than `keep_bytes` more than after the previous call. The heap is locked in
/// the meantime. [any]
void return_free_memory(std::size_t keep_bytes);

}  // namespace rta::os
