// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace rta {

/// An access token is this text, followed by kTokenDigits characters of base64url, which encode 32 random bytes.
inline constexpr std::string_view kTokenPrefix = "rtad_";
inline constexpr std::size_t kTokenDigits = 43;

/// Whether the text has the form of an access token. [any]
[[nodiscard]] bool is_token(std::string_view text);

/// What a name of a token must look like, for error sentences.
inline constexpr std::string_view kTokenNameForm = "a letter, then up to 63 letters, digits, - and _";

/// Whether the text has that form, and is not the author of clients without a token. [any]
[[nodiscard]] bool is_token_name(std::string_view text);

/// The author of what clients change that connect over TCP on the loopback interface without a token.
inline constexpr std::string_view kLoopbackAuthor = "loopback";

/// Longest lifetime of a token in seconds: 100 years.
inline constexpr std::int64_t kLongestLifetimeS = 3'155'760'000;

/// Parses a lifetime: whole seconds as a number with a unit, such as 30d, 12h, 90min or 600s, from 1 s to 100 years.
/// Returns seconds. The error is a clause: `"30" has no unit; expected a time, such as 30d, 12h or 90min`. [any]
[[nodiscard]] std::expected<std::int64_t, std::string> parse_lifetime(std::string_view text);

/// Returns a time in seconds since 1970 in UTC, such as "2026-11-30T04:28:04Z". [any]
[[nodiscard]] std::string utc_text(std::int64_t unix_s);

}  // namespace rta
