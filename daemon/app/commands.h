// SPDX-License-Identifier: MIT
#pragma once

#include "app/options.h"

namespace rta::app {

// The commands of rtad that serve nobody. Each returns the exit status, and has told stderr why if that is not 0.
[[nodiscard]] int run_devices();
[[nodiscard]] int run_check(const CheckOptions& options);
[[nodiscard]] int run_render(const RenderOptions& options);

}  // namespace rta::app
