// SPDX-License-Identifier: MIT
#pragma once

#include "app/options.h"
#include "app/process_setup.h"

namespace rta::app {

/// Runs the daemon until a signal ends it. Returns the exit status, with everything closed; or does not return, and
/// ends the process with that status, where a host library may still hang or call. Call it once, after start_logging().
[[nodiscard]] int run_daemon(const DaemonOptions& options, const MemoryLock& memory);

}  // namespace rta::app
