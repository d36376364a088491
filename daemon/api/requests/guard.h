// SPDX-License-Identifier: MIT
#pragma once

#include "api/call.h"
#include "rta/v1/control.pb.h"

namespace rta::api::requests {

/// Returns whether the guard holds. Otherwise refuses the request with ABORTED and the state that was found. Must be called
/// in the same step as what it guards, again each time that the request is retried. [control]
[[nodiscard]] bool guard_holds(Call& call, const v1::Guard& guard);

}  // namespace rta::api::requests
