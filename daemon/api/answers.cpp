// SPDX-License-Identifier: MIT
#include "api/answers.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "api/client.h"
#include "api/convert.h"
#include "api/status_wire.h"
#include "dsp/simd.h"
#include "engine/renderer.h"
#include "graph/frequency_response.h"
#include "text/format_number.h"
#include "text/names.h"

namespace rta::api {
namespace {

/// 961 from 20 Hz to 20 kHz, in equal ratios.
std::vector<float> audible_frequencies(double sample_rate_hz) {
    constexpr int kCount = 961;
    constexpr double kLowest = 20.0;
    const double highest = std::min(20'000.0, 0.45 * sample_rate_hz);
    std::vector<float> frequencies_hz;
    for (int i = 0; i < kCount; ++i) {
        const double share = static_cast<double>(i) / (kCount - 1);
        frequencies_hz.push_back(static_cast<float>(kLowest * std::pow(highest / kLowest, share)));
    }
    return frequencies_hz;
}

Expected<void> check(const v1::GetGraph& request) {
    if (!v1::GraphContent_IsValid(request.content())) {
        return fail(ErrorCode::invalid_argument,
                    "content " + std::to_string(request.content()) +
                        " is unknown; there are GRAPH_CONTENT_MESSAGE (1) and GRAPH_CONTENT_DOCUMENT (2), and both are "
                        "given where it is left out");
    }
    if (!request.nodes().empty() && request.content() == v1::GRAPH_CONTENT_DOCUMENT) {
        return fail(ErrorCode::invalid_argument,
                    "a document is a whole graph; leave nodes empty, or ask for GRAPH_CONTENT_MESSAGE");
    }
    return {};
}

std::vector<std::string_view> names_of(const GraphDocument& graph) {
    std::vector<std::string_view> names;
    names.reserve(graph.nodes.size());
    for (const GraphDocument::Node& node : graph.nodes) names.emplace_back(node.name);
    return names;
}

std::string_view node_of(std::string_view port) { return port.substr(0, port.find(':')); }

/// The nodes asked for, and the connections that touch them.
Expected<GraphDocument> part_of(const GraphDocument& whole, const v1::GetGraph& request) {
    std::unordered_map<std::string_view, const GraphDocument::Node*> nodes;
    for (const GraphDocument::Node& node : whole.nodes) nodes.emplace(node.name, &node);
    GraphDocument part;
    std::unordered_set<std::string_view> wanted;
    for (const std::string& name : request.nodes()) {
        const auto found = nodes.find(name);
        if (found == nodes.end()) return fail(ErrorCode::not_found, no_such("node", name, names_of(whole)));
        if (wanted.insert(name).second) part.nodes.push_back(*found->second);
    }
    for (const GraphDocument::Connection& connection : whole.connections) {
        if (wanted.contains(node_of(connection.from)) || wanted.contains(node_of(connection.to)))
            part.connections.push_back(connection);
    }
    part.latency_compensation = whole.latency_compensation;
    return part;
}

}  // namespace

void Answers::answer_status(v1::StatusResult& result, TimePoint now, std::span<Client* const> clients) const {
    result.set_server_version(RTA_VERSION);
    result.set_instance_id(hub_.instance_id());
    result.set_uptime_s(std::chrono::duration<double>(now - start_).count());
    to_wire(host_.device_status(), *result.mutable_device());
    to_wire(host_.realtime_status(), *result.mutable_realtime());
    to_wire(host_.store_status(), *result.mutable_store());
    to_wire(host_.load_status(), engine_.renderer().frames(), *result.mutable_load());
    answer_engine(*result.mutable_engine());
    result.set_client_count(static_cast<std::uint32_t>(clients.size()));
    list_clients(result, now, clients);
}

void Answers::answer_engine(v1::EngineState& state) const {
    const EngineStatistics statistics = engine_.statistics();
    state.set_block_size_frames(engine_.config().block_size);
    state.set_frame(engine_.renderer().frames());
    state.set_revision(engine_.revision());
    state.set_change_number(hub_.number());
    state.set_node_count(static_cast<std::uint32_t>(engine_.graph().node_count()));
    state.set_connection_count(static_cast<std::uint32_t>(engine_.graph().connection_count()));
    state.set_plans_made(statistics.plans_made);
    state.set_plans_freed(statistics.plans_freed);
    state.set_plans_alive(statistics.plans_alive);
    state.set_telemetry_dropped(statistics.telemetry_dropped);
    state.set_output_muted(engine_.output_muted());
    state.set_simd_target(std::string{dsp::simd_target()});
    to_wire(engine_.latency(), engine_.graph(), state);
}

void Answers::list_clients(v1::StatusResult& result, TimePoint now, std::span<Client* const> clients) {
    for (Client* const client : clients) {
        if (!client->greeted()) continue;
        v1::ClientState& state = *result.add_clients();
        state.set_name(client->client_name());
        state.set_address(client->address());
        state.set_connected_s(std::chrono::duration<double>(now - client->connected()).count());
        state.set_telemetry_dropped(client->outbox().telemetry_dropped());
    }
}

Expected<void> Answers::answer_graph(const v1::GetGraph& request, v1::GraphResult& result) const {
    if (auto good = check(request); !good) return good;
    const GraphDocument whole = engine_.graph().document();
    const bool some = !request.nodes().empty();
    if (some) {
        const auto part = part_of(whole, request);
        if (!part) return std::unexpected(part.error());
        to_wire(*part, *result.mutable_graph());
    } else if (request.content() != v1::GRAPH_CONTENT_DOCUMENT) {
        to_wire(whole, *result.mutable_graph());
    }
    if (!some && request.content() != v1::GRAPH_CONTENT_MESSAGE) result.set_document(write_document(whole));
    result.set_revision(engine_.revision());
    result.set_change_number(hub_.number());
    return {};
}

Expected<void> Answers::answer_node_types(const v1::ListNodeTypes& request, v1::NodeTypesResult& result) const {
    const NodeRegistry& registry = engine_.registry();
    if (!request.type().empty()) {
        const auto type = registry.require(request.type());
        if (!type) return std::unexpected(type.error());
        to_wire(**type, *result.add_types());
        return {};
    }
    for (const NodeType* type : registry.types()) to_wire(*type, *result.add_types());
    return {};
}

Expected<void> Answers::answer_frequency_response(const v1::GetFrequencyResponse& request,
                                                  v1::FrequencyResponseResult& result) const {
    constexpr int kMostFrequencies = 2048;
    const double sample_rate_hz = engine_.config().sample_rate_hz;
    if (request.frequencies_hz_size() > kMostFrequencies) {
        return fail(ErrorCode::invalid_argument, std::to_string(request.frequencies_hz_size()) +
                                                     " frequencies_hz are too many: at most " +
                                                     std::to_string(kMostFrequencies));
    }
    std::vector<float> frequencies_hz{request.frequencies_hz().begin(), request.frequencies_hz().end()};
    if (frequencies_hz.empty()) frequencies_hz = audible_frequencies(sample_rate_hz);
    const auto responses =
        frequency_response(engine_.graph(), engine_.registry(), request.node(), frequencies_hz, sample_rate_hz);
    if (!responses) return std::unexpected(responses.error());
    result.set_sample_rate_hz(sample_rate_hz);
    result.mutable_frequencies_hz()->Add(frequencies_hz.begin(), frequencies_hz.end());
    for (const FrequencyResponse& response : *responses) to_wire(response, *result.add_outputs());
    return {};
}

Expected<void> Answers::answer_reset_meters(const v1::ResetMeters& request, v1::ResetMetersResult& result) {
    if (request.nodes_size() > kMaximumItems) {
        return fail(ErrorCode::invalid_argument, "the list of nodes holds " + std::to_string(request.nodes_size()) +
                                                     " of them; the most is " + std::to_string(kMaximumItems));
    }
    const std::vector<std::string> names{request.nodes().begin(), request.nodes().end()};
    std::unordered_set<std::string_view> seen;
    for (const std::string& name : names) {
        if (!seen.insert(name).second)
            return fail(ErrorCode::invalid_argument, "node " + quoted(name) + " is named twice; once is enough");
    }
    const auto frame = engine_.restart_loudness(names);
    if (!frame) return std::unexpected(frame.error());
    result.set_frame(*frame);
    return {};
}

Expected<Subscription> to_subscription(const v1::Subscribe& request) {
    const bool all = request.topics().empty();
    Subscription wanted{.changes = all, .telemetry = {.levels = all, .load = all, .xruns = all}};
    Telemetry::Topics& topics = wanted.telemetry;
    for (const int topic : request.topics()) {
        switch (topic) {
            case v1::TOPIC_CHANGES:
                wanted.changes = true;
                break;
            case v1::TOPIC_LEVELS:
                topics.levels = true;
                break;
            case v1::TOPIC_LOAD:
                topics.load = true;
                break;
            case v1::TOPIC_XRUNS:
                topics.xruns = true;
                break;
            case v1::TOPIC_NODE_LOADS:
                topics.node_loads = true;
                break;
            default:
                return fail(ErrorCode::invalid_argument,
                            "topic " + std::to_string(topic) +
                                " is unknown; there are TOPIC_CHANGES (1), TOPIC_LEVELS (2), TOPIC_LOAD (3), "
                                "TOPIC_XRUNS (4) and TOPIC_NODE_LOADS (5)");
        }
    }
    if (request.has_telemetry_rate_hz()) {
        topics.rate_hz = request.telemetry_rate_hz();
        if (!(topics.rate_hz >= Telemetry::kMinimumRateHz && topics.rate_hz <= Telemetry::kMaximumRateHz)) {
            return fail(ErrorCode::invalid_argument,
                        "telemetry_rate_hz is " + format_number(topics.rate_hz) + "; it must be from 1 to 100");
        }
    }
    return wanted;
}

}  // namespace rta::api
