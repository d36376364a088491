// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>

#include "net/limits.h"

namespace rta::app {

/// Defines the options for what clients may take of the daemon.
void define_limits(CLI::App& app, net::ServerLimits& limits);

}  // namespace rta::app
