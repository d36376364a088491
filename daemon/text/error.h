// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace rta {

/// The canonical codes, with the numbers of google.rpc.Code: one switch in `api` maps them to the wire.
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

/// `NOT_FOUND` and its sisters, as the protocol spells them.
[[nodiscard]] std::string_view error_code_name(ErrorCode code) noexcept;

/// A code for programs, a sentence for people: it names the thing at fault and says what would be right.
struct Error {
    ErrorCode code;
    std::string sentence;
    /// Index of the edit at fault within its transaction.
    std::optional<std::uint32_t> edit_index{};
};

template <class T>
using Expected = std::expected<T, Error>;

/// `return fail(ErrorCode::not_found, "there is no node \"x\"");`
[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string sentence) {
    return std::unexpected(Error{code, std::move(sentence), {}});
}

/// The error, found in this edit of a transaction.
[[nodiscard]] inline Error at_edit(Error error, std::size_t index) {
    error.edit_index = static_cast<std::uint32_t>(index);
    return error;
}

}  // namespace rta
