// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace rta {

/// `quoted(text)`: the text in double quotes, fit for an error sentence whatever a client sent: quotes and
/// what printable() escapes are escaped, and what is longer than 80 bytes is cut. [any]
///
/// An object, not a function: beside a function, a call with a std::string would find std::quoted too.
struct Quoted {
    [[nodiscard]] std::string operator()(std::string_view text) const;
};
inline constexpr Quoted quoted{};

/// The text as a terminal may be given it, whoever wrote it: control characters (C0, DEL and C1), line and paragraph
/// separators, marks that turn the direction of writing, and bytes that are not UTF-8 are escaped as \xNN. Control
/// characters in `kept` stay. [any]
[[nodiscard]] std::string printable(std::string_view text, std::string_view kept = {});
/// printable() would change nothing. [any]
[[nodiscard]] bool is_printable(std::string_view text);

/// `there is no setting "chanels" (did you mean "channels"?); there are: channels, first_channel`, or
/// `...; there are none`. A long list is cut. `kind` is the word for what was looked up. [any]
[[nodiscard]] std::string no_such(std::string_view kind, std::string_view name,
                                  std::span<const std::string_view> existing);

/// The existing name that `name` is most likely a slip of; empty if none is close. [any]
[[nodiscard]] std::string_view closest_name(std::string_view name, std::span<const std::string_view> existing);

/// Where the first byte stands that is not part of a UTF-8 character (RFC 3629: no overlong forms, no surrogates);
/// text.size() if there is none. [any]
[[nodiscard]] std::size_t first_invalid_utf8(std::string_view text);

}  // namespace rta
