// SPDX-License-Identifier: MIT
#include "plan/plan_silences.h"

#include <algorithm>

namespace rta {
namespace {

bool delays_signal(const CompileRequest::Node& node) {
    return node.entering ? node.instance->latency_frames() != 0 : !node.silence.none();
}

bool delays_signal(const CompileRequest::Connection& connection) {
    return connection.entering ? connection.state->delay != nullptr : !connection.silence.none();
}

/// `source` is the silence at the output that the connection reads.
Silence silence_after(const CompileRequest::Connection& connection, const Silence& source) {
    if (!connection.entering) return longer(source, connection.silence);
    const dsp::FixedDelay* const delay = connection.state->delay.get();
    return connection.state->silence = source.delayed(delay == nullptr ? 0 : delay->delay_frames());
}

}  // namespace

PlanSilences find_silences(const CompileRequest& request, std::span<const std::uint32_t> order,
                           std::span<const std::uint32_t> first_connection) {
    PlanSilences result;
    const bool any =
        std::ranges::any_of(request.nodes, [](const auto& node) { return delays_signal(node); }) ||
        std::ranges::any_of(request.connections, [](const auto& connection) { return delays_signal(connection); });
    if (!any) return result;

    result.outputs.resize(request.nodes.size());
    result.arrivals.reserve(request.nodes.size());
    for (const std::uint32_t node : order) {
        const CompileRequest::Node& entry = request.nodes[node];
        Silence arrival;
        for (auto c = first_connection[node]; c < first_connection[node + 1]; ++c) {
            const CompileRequest::Connection& connection = request.connections[c];
            const Silence passed = silence_after(connection, result.outputs[connection.from_node]);
            if (connection.target_gain != 0.0F) arrival = longer(arrival, passed);
        }
        result.arrivals.push_back(arrival);
        const bool sink = entry.instance->description().type->device_role == DeviceRole::sink;
        if (!entry.entering || sink) result.fade_wait = longer(result.fade_wait, arrival);
        result.outputs[node] = entry.entering ? arrival.delayed(entry.instance->latency_frames()) : entry.silence;
    }
    return result;
}

}  // namespace rta
