// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <string_view>
#include <utility>

#include "text/error.h"

namespace rta::api {

/// Returns an exception as an error: RESOURCE_EXHAUSTED for a lack of memory and for an allocation size that is too
/// large, INTERNAL for all others. `doing` completes "memory ran out while ...". [any]
[[nodiscard]] Error thrown_error(const std::exception_ptr& thrown, std::string_view doing);

/// Returns `error` with the assurance that nothing has changed. [any]
[[nodiscard]] Error unchanged(Error error);

/// Calls `call` and returns what it throws as an error. An exception that leaves a thread or the io_context would
/// terminate the daemon, and one client's request must not do that. [any]
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
