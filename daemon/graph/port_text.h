// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "graph/audio_graph.h"

namespace rta {

/// A port as clients write it: `node` or `node:port`.
struct PortText {
    std::string_view node;
    std::optional<std::string_view> port;
};

/// [any] Splits a port at its colon.
[[nodiscard]] PortText split_port(std::string_view text);

/// [any] Returns the index of the port, or that of the only one. `direction` is "input" or "output", for the error:
/// FAILED_PRECONDITION without ports, NOT_FOUND, or INVALID_ARGUMENT if there are several.
[[nodiscard]] Expected<std::uint32_t> resolve_port(const GraphNode& node, std::span<const NodeLayout::Port> ports,
                                                   std::optional<std::string_view> port, std::string_view direction);

/// [any] Returns the names of ports, parameters or the like.
[[nodiscard]] std::vector<std::string_view> names_of(const auto& entries) {
    std::vector<std::string_view> names;
    names.reserve(entries.size());
    for (const auto& entry : entries) names.push_back(entry.name);
    return names;
}

}  // namespace rta
