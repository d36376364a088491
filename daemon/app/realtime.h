// SPDX-License-Identifier: MIT
#pragma once

#include "status/status.h"

namespace rta::app {

/// Prepares the process for an audio thread. Call it first in main(), before there is any thread: small stacks for all
/// threads to come, few malloc arenas, as many files and as much locked memory and real-time priority as the limits
/// allow; a closed connection, and a file at its limit of size, are errors of write(), not signals.
/// Standard streams that are closed are opened on nothing.
void prepare_process();

/// Keeps every page in memory that is there or is touched from now on: the audio thread must never wait for the disk.
[[nodiscard]] MemoryLock lock_memory();

/// Gives freed memory back to the system, after a start that needed more than running does.
void trim_memory();

}  // namespace rta::app
