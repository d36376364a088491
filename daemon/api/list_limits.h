// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text/error.h"

namespace rta::api {

/// Maximum number of elements in one list of a request.
inline constexpr int kMaximumItems = 65'536;
/// Maximum number of elements in all lists of a request, and of its unknown fields, together.
inline constexpr std::size_t kMaximumElements = 524'288;

/// Memory that a request takes after it has been parsed is at most this for each of its bytes, plus this for each element.
inline constexpr std::size_t kMemoryPerByte = 64;
inline constexpr std::size_t kMemoryPerElement = 512;

/// Lists, and fields that hold a message, have smaller numbers; a test checks that there are no others.
inline constexpr std::uint32_t kCountedNumbers = 64;

/// Returns INVALID_ARGUMENT for a list of `count` elements, named by `list`.
[[nodiscard]] Error too_many_items(std::string_view list, std::size_t count);

/// The result of check_wire().
struct WireCheck {
    enum class Verdict : std::uint8_t {
        good,       ///< protobuf may parse it
        too_large,  ///< refused: `error` is its answer
        malformed,  ///< not a request: `error` says why
    };

    Verdict verdict = Verdict::good;
    Error error{};
    std::uint64_t id = 0;      ///< of the request, if it is too large
    std::size_t elements = 0;  ///< of all lists, and unknown fields
};

/// Decides whether protobuf may parse a serialised v1::Request, before memory is spent on it: an empty element takes two
/// bytes on the wire, and a hundred in memory.
///
/// Accepts only what the wire format gives one meaning: tags in their shortest form, no groups, each message once in its
/// field. Whatever it accepts, protobuf reads in the same way, so that nothing passes uncounted. Which fields are lists
/// is read from the descriptors of the messages. Too large is a request with more than kMaximumItems elements in one list,
/// or with more than kMaximumElements in all of them. [any]
[[nodiscard]] WireCheck check_wire(std::string_view request);

}  // namespace rta::api
