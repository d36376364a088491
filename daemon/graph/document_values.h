// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "document/document.h"
#include "graph/node_type.h"
#include "text/error.h"

namespace rta {

/// More warnings are counted, in one more.
inline constexpr std::size_t kMostWarnings = 100;

/// A document in the form that edits have.
struct LoadedDocument {
    GraphDocument document;
    std::vector<std::string> warnings;  ///< at most kMostWarnings + 1
};

/// Reads a document, and converts the values that only documents may contain:
///
/// - parameters written as true, false or text, and settings that are numbers or switches and written as text;
/// - parameters above their maximum, if it follows the sample rate, or if they are valid in an earlier version
///   (ParameterSpec::older_maximum). They are set to the maximum, with a warning.
///
/// Errors, with line and column: those of read_document(), and INVALID_ARGUMENT for a value that is not of the kind or
/// the unit of its parameter or setting. Unknown names are left to the NodeBuilder. [any]
[[nodiscard]] Expected<LoadedDocument> load_document(std::string_view text, const NodeRegistry& registry,
                                                     double sample_rate_hz);

}  // namespace rta
