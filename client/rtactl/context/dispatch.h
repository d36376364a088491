// SPDX-License-Identifier: MIT
#pragma once

#include "rtactl/context/context.h"
#include "rtactl/language/invocation.h"

namespace rta::rtactl {

/// Runs a parsed command line or a parsed line of the shell: prints help, or runs the command.
[[nodiscard]] Result<void> dispatch(Context& context, const Invocation& invocation);

}  // namespace rta::rtactl
