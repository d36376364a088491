// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace rta {

/// Returns the sentence that refuses an unknown name and lists the known ones, such as `unknown setting "chanels" (did
/// you mean "channels"?); expected one of: channels, first_channel`. A long list is cut. `kind` is the word for what
/// was looked up. [any]
[[nodiscard]] std::string unknown_name(std::string_view kind, std::string_view name,
                                       std::span<const std::string_view> known);

/// Returns the known name that `name` is most likely a misspelling of, or the only one that it begins; empty if there is
/// neither. Takes a few milliseconds at most: of many thousands of long names, only the first are compared. [any]
[[nodiscard]] std::string_view closest_name(std::string_view name, std::span<const std::string_view> known);

}  // namespace rta
