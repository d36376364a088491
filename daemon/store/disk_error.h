// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <system_error>

#include "text/error.h"

namespace rta::store {

/// Returns "cannot WHAT PATH: REASON": RESOURCE_EXHAUSTED if the disk is full, otherwise UNAVAILABLE. [any]
[[nodiscard]] std::unexpected<Error> cannot(std::string_view what, std::string_view path, std::error_code error);

}  // namespace rta::store
