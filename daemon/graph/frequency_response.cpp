// SPDX-License-Identifier: MIT
#include "graph/frequency_response.h"

#include <cstdint>

#include "text/format_number.h"
#include "text/quoting.h"

namespace rta {
namespace {

/// The response of a type that is not linear counts on a path only.
bool has_response(const NodeType& type) { return type.response != nullptr && type.counts_as.empty(); }

std::unexpected<Error> no_response(const GraphNode& node, const NodeRegistry& registry) {
    std::string known;
    for (const NodeType* type : registry.types()) {
        if (has_response(*type)) known.append(known.empty() ? "" : ", ").append(type->name);
    }
    return fail(ErrorCode::failed_precondition,
                "node " + quoted(node.name()) + " has no frequency response: its type is " +
                    std::string{node.description->type->name} + "; these types have one: " + known);
}

}  // namespace

Expected<void> check_frequencies(std::span<const float> frequencies_hz, double sample_rate_hz) {
    for (std::size_t i = 0; i < frequencies_hz.size(); ++i) {
        const auto frequency_hz = static_cast<double>(frequencies_hz[i]);
        if (frequency_hz > 0.0 && frequency_hz < sample_rate_hz / 2.0) continue;
        return fail(ErrorCode::invalid_argument, "frequencies_hz[" + std::to_string(i) +
                                                     "] = " + format_number(frequencies_hz[i]) +
                                                     " is out of range: above 0 and below " +
                                                     format_number(sample_rate_hz / 2.0) + " Hz, half the sample rate");
    }
    return {};
}

bool is_bypassed(const GraphNode& node) {
    const auto bypass =
        node.description->layout.has_bypass ? node.description->layout.find_parameter("bypass") : std::nullopt;
    return bypass && node.parameters[*bypass] != 0.0F;
}

Expected<std::vector<FrequencyResponse>> frequency_response(const AudioGraph& graph, const NodeRegistry& registry,
                                                            std::string_view name,
                                                            std::span<const float> frequencies_hz,
                                                            double sample_rate_hz) {
    const auto found = graph.require(name);
    if (!found) return std::unexpected(found.error());
    const GraphNode& node = **found;
    const NodeDescription& description = *node.description;
    if (!has_response(*description.type)) return no_response(node, registry);
    if (auto good = check_frequencies(frequencies_hz, sample_rate_hz); !good)
        return std::unexpected(std::move(good.error()));

    const std::vector<double> all_hz{frequencies_hz.begin(), frequencies_hz.end()};
    const bool bypassed = is_bypassed(node);
    std::vector<FrequencyResponse> responses;
    for (std::uint32_t output = 0; output < description.layout.outputs.size(); ++output) {
        FrequencyResponse& response = responses.emplace_back();
        response.port = description.layout.outputs[output].name;
        response.values.assign(all_hz.size(), 1.0);
        if (bypassed) continue;
        description.type->response({description.settings, node.parameters, sample_rate_hz, output, all_hz},
                                   response.values);
    }
    return responses;
}

}  // namespace rta
