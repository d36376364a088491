// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <string_view>
#include <utility>

#include "text/error.h"

namespace rta::api {

/// What was thrown, as an error. Lack of memory, and a size that no memory could hold: RESOURCE_EXHAUSTED; whatever
/// else a library throws: INTERNAL. `doing` completes "memory ran out while ...". [any]
[[nodiscard]] Error thrown_error(const std::exception_ptr& thrown, std::string_view doing);

/// Calls `call`, and lets nothing that it throws go on: an exception that crosses a thread, or the io_context, ends the
/// daemon, and one client's request must not. [any]
template <class Call>
[[nodiscard]] Expected<void> guarded(std::string_view doing, Call&& call) {
    try {
        std::forward<Call>(call)();
        return {};
    } catch (...) {
        return std::unexpected(thrown_error(std::current_exception(), doing));
    }
}

}  // namespace rta::api
