// SPDX-License-Identifier: MIT
#include "graph/port_text.h"

#include <string>

#include "text/quoting.h"
#include "text/suggestion.h"

namespace rta {

PortText split_port(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return {text, std::nullopt};
    return {text.substr(0, colon), text.substr(colon + 1)};
}

Expected<std::uint32_t> resolve_port(const GraphNode& node, std::span<const NodeLayout::Port> ports,
                                     std::optional<std::string_view> port, std::string_view direction) {
    if (ports.empty()) {
        return fail(ErrorCode::failed_precondition, "node " + quoted(node.name()) + " of type " +
                                                        std::string{node.description->type->name} + " has no " +
                                                        std::string{direction});
    }
    if (port) {
        if (const auto index = NodeLayout::find_port(ports, *port)) return *index;
        return fail(ErrorCode::not_found,
                    "node " + quoted(node.name()) + ": " + unknown_name(direction, *port, names_of(ports)));
    }
    if (ports.size() == 1) return 0U;
    return fail(ErrorCode::invalid_argument, "node " + quoted(node.name()) + " has several " + std::string{direction} +
                                                 "s: specify one, for example " + node.name() + ":" +
                                                 ports.front().name);
}

}  // namespace rta
