// SPDX-License-Identifier: MIT
#include "rtactl/language/pattern.h"

#include "rta/type_table.h"
#include "text/quoting.h"

namespace rta::rtactl {

namespace {

/// Returns the names that `wanted` matches among the parameters of a node, or the setting of exactly that name.
std::vector<std::string> matching_names(const GraphMirror::NodeInfo& node, const v1::NodeType& type,
                                        const std::string& wanted) {
    std::vector<std::string> names;
    for (const v1::ParameterInfo& parameter : parameters_of(type, node.settings)) {
        if (matches_pattern(wanted, parameter.name())) names.push_back(parameter.name());
    }
    if (!is_pattern(wanted) && names.empty() && find_setting(type, wanted)) names.push_back(wanted);
    return names;
}

}  // namespace

bool is_pattern(std::string_view text) { return text.find('*') != std::string_view::npos; }

bool matches_pattern(std::string_view pattern, std::string_view text) {
    // Only the latest * needs to be tried again: the ones before it have matched as little as possible.
    std::size_t star = std::string_view::npos;
    std::size_t star_text = 0;
    std::size_t p = 0;
    std::size_t t = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            star_text = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++star_text;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

std::expected<std::vector<NodeAssignment>, std::string> expand_patterns(const GraphMirror& graph,
                                                                        const v1::NodeTypesResult& types,
                                                                        std::span<const NodeAssignment> assignments) {
    std::vector<NodeAssignment> expanded;
    for (const NodeAssignment& assignment : assignments) {
        const auto& [wanted_node, wanted, op] = assignment;
        if (!is_pattern(wanted_node) && !is_pattern(wanted.name)) {
            expanded.push_back(assignment);
            continue;
        }
        const std::size_t before = expanded.size();
        for (const auto& [name, node] : graph.nodes()) {
            const v1::NodeType* type = find_type(types, node.type);
            if (type == nullptr || !matches_pattern(wanted_node, name)) continue;
            for (std::string& parameter : matching_names(node, *type, wanted.name))
                expanded.push_back({name, {std::move(parameter), wanted.value}, op});
        }
        if (expanded.size() == before)
            return std::unexpected("no parameter matches " + quoted(wanted_node + "." + wanted.name) +
                                   "; `rtactl list` shows the nodes");
    }
    return expanded;
}

}  // namespace rta::rtactl
