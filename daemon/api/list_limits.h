// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "text/error.h"

namespace rta::api {

/// What a serialised v1::Request may hold, in all its lists together.
inline constexpr std::size_t kMaximumElements = 524'288;

/// A request that is not worth reading.
struct Oversized {
    std::uint64_t id = 0;  ///< of the request
    Error error;
};

/// Counts the elements of lists in a serialised v1::Request before memory is spent on them: an empty one takes two
/// bytes on the wire, and a hundred in memory. INVALID_ARGUMENT, naming the list: more than kMaximumItems in one list,
/// or more than kMaximumElements in all of them. What is no request at all is left to protobuf. [any]
[[nodiscard]] std::optional<Oversized> find_oversized(std::string_view request);

}  // namespace rta::api
