// SPDX-License-Identifier: MIT
#pragma once

#include "app/options.h"

namespace rta::app {

// The commands of rtad that run without clients. Each returns the exit status. If that is not 0, it has printed the
// reason to stderr.
[[nodiscard]] int run_devices();
[[nodiscard]] int run_check(const CheckOptions& options);
[[nodiscard]] int run_render(const RenderOptions& options);
[[nodiscard]] int run_token(const TokenOptions& options);

}  // namespace rta::app
