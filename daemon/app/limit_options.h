// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>

#include "app/limits.h"

namespace rta::app {

/// Defines an option for each row of limit_table(). `limits` must outlive `app`.
void define_limits(CLI::App& app, Limits& limits);

}  // namespace rta::app
