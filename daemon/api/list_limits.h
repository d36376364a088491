// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "text/error.h"

namespace rta::api {

/// Maximum number of elements in one list of a request.
inline constexpr int kMaximumItems = 65'536;
/// Maximum number of elements in all lists of a request together.
inline constexpr std::size_t kMaximumElements = 524'288;

/// Lists are counted in fields with smaller numbers; a test checks that there are no others.
inline constexpr std::uint32_t kCountedNumbers = 32;

/// Returns INVALID_ARGUMENT for a list of `count` elements, named by `list`.
[[nodiscard]] Error too_many_items(std::string_view list, std::size_t count);

/// A request that is refused without being parsed.
struct Oversized {
    std::uint64_t id = 0;  ///< of the request
    Error error;
};

/// Counts the elements of the lists in a serialised v1::Request before memory is spent on them: an empty element takes
/// two bytes on the wire, and a hundred in memory. Which fields are lists is read from the descriptors of the messages.
/// INVALID_ARGUMENT, naming the list: more than kMaximumItems in one list, or more than kMaximumElements in all of
/// them. Bytes that are not a request are left to protobuf. [any]
[[nodiscard]] std::optional<Oversized> find_oversized(std::string_view request);

}  // namespace rta::api
