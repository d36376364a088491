// SPDX-License-Identifier: MIT
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "api/call.h"
#include "api/client.h"
#include "api/services.h"
#include "api/status_snapshot.h"
#include "api/status_wire.h"
#include "engine/latency_list.h"

namespace rta::api::requests {
namespace {

double seconds_since(TimePoint then, TimePoint now) { return std::chrono::duration<double>(now - then).count(); }

/// Lists only those with the highest latency, so that the answer fits into a frame.
void list_latencies(const LatencyReport& latency, const AudioGraph& graph, v1::EngineState& state) {
    constexpr std::size_t kMostNodes = 256;
    for (const LatencyReport::Node& from : longest_latencies(latency, kMostNodes)) {
        v1::NodeLatency& node = *state.add_node_latencies();
        node.set_node(graph.find(from.node)->name());
        node.set_latency_frames(from.own_frames);
        node.set_output_latency_frames(from.output_frames);
    }
}

void describe_clients(const std::vector<Client*>& clients, TimePoint now, v1::StatusResult& result) {
    result.set_client_count(static_cast<std::uint32_t>(clients.size()));
    for (Client* const client : clients) {
        if (!client->introduced()) continue;
        v1::ClientState& state = *result.add_clients();
        state.set_name(client->name());
        state.set_address(client->address());
        state.set_connected_s(seconds_since(client->connected(), now));
        state.set_telemetry_dropped(client->outbox().telemetry_dropped());
        state.set_role(std::string{role_name(client->identity().role)});
        state.set_author(client->identity().author);
        state.set_session(client->identity().session);
    }
}

}  // namespace

void get_status(Call& call) {
    const Services& services = call.services;
    const TimePoint now = services.clock();
    v1::StatusResult& result = *call.request.answer().mutable_get_status();
    result.set_server_version(RTA_VERSION);
    result.set_instance_id(services.hub.instance_id());
    const StatusSnapshot status = take_status(services);
    to_wire(status.device, *result.mutable_device());
    to_wire(status.realtime, *result.mutable_realtime());
    to_wire(status.store, *result.mutable_store());
    to_wire(status.load, status.engine.frame, *result.mutable_load());
    to_wire(status.engine, *result.mutable_engine());
    list_latencies(services.engine.latency(), services.engine.graph(), *result.mutable_engine());
    result.set_uptime_s(status.uptime_s);
    result.set_tls_fingerprint(services.daemon.tls_fingerprint());
    for (std::string& url : services.daemon.web_urls()) result.add_web_urls(std::move(url));
    describe_clients(services.clients, now, result);
    if (auto waiting = services.confirmation.waiting()) *result.mutable_confirmation() = std::move(*waiting);
}

}  // namespace rta::api::requests
