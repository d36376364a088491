// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "app/options.h"

namespace CLI {
class App;
}

namespace rta::app {

/// Defines `rtad token` and its commands.
[[nodiscard]] CLI::App* define_token(CLI::App& app, TokenOptions& options);

/// Returns the reason if the options of `rtad token` conflict, else "".
[[nodiscard]] std::string conflict_of(const TokenOptions& options);

}  // namespace rta::app
