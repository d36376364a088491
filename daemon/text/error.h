// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace rta {

/// Canonical error codes with the numbers of google.rpc.Code. One switch in `api` maps them to the protocol.
enum class ErrorCode : std::uint8_t {
    invalid_argument = 3,
    deadline_exceeded = 4,
    not_found = 5,
    already_exists = 6,
    permission_denied = 7,
    resource_exhausted = 8,
    failed_precondition = 9,
    aborted = 10,
    unimplemented = 12,
    internal = 13,
    unavailable = 14,
    unauthenticated = 16,
};

/// Returns the name of the code in the protocol, such as `NOT_FOUND`.
[[nodiscard]] std::string_view error_code_name(ErrorCode code) noexcept;

/// A code for programs and a sentence for people: what was refused, why, and what would be accepted.
struct Error {
    ErrorCode code;
    std::string sentence;
    /// Index, within its transaction, of the edit that was refused.
    std::optional<std::uint32_t> edit_index{};
};

template <class T>
using Expected = std::expected<T, Error>;

/// `return fail(ErrorCode::not_found, "unknown node \"x\"");`
[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string sentence) {
    return std::unexpected(Error{code, std::move(sentence), {}});
}

/// Returns the error with the index of the edit that caused it.
[[nodiscard]] inline Error at_edit(Error error, std::size_t index) {
    error.edit_index = static_cast<std::uint32_t>(index);
    return error;
}

}  // namespace rta
