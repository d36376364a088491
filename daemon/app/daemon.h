// SPDX-License-Identifier: MIT
#pragma once

#include "app/options.h"
#include "app/process_setup.h"

namespace rta::app {

/// Runs the daemon until a signal stops it. Closes everything and returns the exit status. If an audio library is
/// loaded, exits the process with that status instead, because the library may hang or call back. Call it once, after
/// start_logging().
[[nodiscard]] int run_daemon(const DaemonOptions& options, const MemoryLock& memory);

}  // namespace rta::app
