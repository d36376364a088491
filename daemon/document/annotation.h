// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "text/error.h"

namespace rta {

inline constexpr std::size_t kLongestTitle = 256;         ///< in bytes of UTF-8
inline constexpr std::size_t kLongestDescription = 4096;  ///< in bytes of UTF-8

/// Text for people about a node or a graph, without influence on the sound; see annotation_fault().
struct Annotation {
    std::string title;
    std::string description;

    [[nodiscard]] bool operator==(const Annotation&) const = default;
};

/// Checks both texts. `subject` starts the error: `node "osc"`. Errors: INVALID_ARGUMENT. [any]
[[nodiscard]] Expected<void> check_annotation(const Annotation& annotation, std::string_view subject);

/// Returns why the text is too long, or could control a terminal, as the key "title" or "description"; or "". [any]
[[nodiscard]] std::string annotation_fault(std::string_view key, std::string_view text);

}  // namespace rta
