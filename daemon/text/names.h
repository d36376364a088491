// SPDX-License-Identifier: MIT
// Deprecated: include the header of the function.
#pragma once

#include "text/quoting.h"
#include "text/suggestion.h"
#include "text/utf8.h"

namespace rta {

[[nodiscard]] inline std::string no_such(std::string_view kind, std::string_view name,
                                         std::span<const std::string_view> existing) {
    return unknown_name(kind, name, existing);
}

}  // namespace rta
