// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "status/status.h"
#include "text/error.h"

namespace rta::app {

/// Prepares the process for an audio thread: small stacks for all later threads, few malloc arenas, and open files,
/// locked memory and real-time priority raised to their hard limits. Ignores SIGPIPE and SIGXFSZ, so that a closed
/// socket or a file at its size limit is an error of write(). Opens closed standard streams on /dev/null.
/// Call it first in main(), while there is only one thread.
void prepare_process();

/// Selects the SIMD target named by the environment variable RTAD_SIMD, which tests and measurements use. Without it,
/// the fastest target stays selected. INVALID_ARGUMENT, listing the available targets, if this CPU or this build has
/// no target of that name. Call it before an engine is created.
[[nodiscard]] Expected<void> choose_simd_target();

/// Locks all present and future pages in memory, so that the audio thread never waits for the disk.
[[nodiscard]] MemoryLock lock_memory();

/// Returns the bytes that this process can still allocate: the available memory of the machine, or the rest of its
/// control group's limit or of its address space limit if that is less. [any]
[[nodiscard]] std::uint64_t available_memory_bytes();

/// Returns what the process takes of the machine; its parts are 0 where the system does not report them. [any]
[[nodiscard]] ProcessStatus process_status();

/// Returns a warning if this process may not have enough files open for so many clients, else "". Further clients would
/// wait in the system's queue. [any]
[[nodiscard]] std::string descriptor_shortage(std::size_t clients);

/// Returns the processor time that the calling thread has taken, in seconds. [any]
[[nodiscard]] double thread_time_s();

/// Returns an unpredictable number. [any]
[[nodiscard]] std::uint64_t random_number();

}  // namespace rta::app
