// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <expected>
#include <system_error>

namespace rta::os {

template <class T>
using Result = std::expected<T, std::error_code>;

/// Returns errno as an error code.
[[nodiscard]] inline std::error_code last_error() { return {errno, std::generic_category()}; }
[[nodiscard]] inline std::unexpected<std::error_code> fail_with_errno() { return std::unexpected(last_error()); }

/// Repeats a system call for as long as signals interrupt it.
template <class Call>
auto retried(const Call& call) {
    auto result = call();
    while (result < 0 && errno == EINTR) result = call();
    return result;
}

}  // namespace rta::os
