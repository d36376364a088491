// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

#include "document/document.h"

namespace rta {

/// The longest document, in bytes. Greater than a graph of 100,000 nodes needs, and small enough to refuse other files
/// before they fill the memory.
inline constexpr std::size_t kLongestDocument = std::size_t{16} << 20U;

// Lengths of the parts that write_document() writes, in bytes, without the names and numbers in them. Names of nodes,
// ports, types and parameters need no escapes.

inline constexpr std::size_t kEmptyDocumentBytes =
    std::string_view{"{\n  \"nodes\": [\n  ],\n  \"connections\": [\n  ],\n  \"latency_compensation\": true\n}\n"}
        .size();
inline constexpr std::size_t kConnectionBytes = std::string_view{",\n    {\"from\": \"\", \"to\": \"\"}"}.size();
inline constexpr std::size_t kConnectionGainBytes = std::string_view{", \"gain_db\": "}.size();
inline constexpr std::size_t kParametersBytes = std::string_view{", \"parameters\": {}"}.size();
inline constexpr std::size_t kParameterBytes = std::string_view{"\"\": , "}.size();

/// Returns the length of a node with these settings and without parameters. [any]
[[nodiscard]] std::size_t node_bytes(std::string_view type, const Annotation& annotation, const Settings& settings);
/// Returns the length of the title and the description of the graph. [any]
[[nodiscard]] std::size_t annotation_bytes(const Annotation& annotation);

}  // namespace rta
