// SPDX-License-Identifier: MIT
#include <chrono>
#include <string>
#include <vector>

#include "api/call.h"
#include "api/client.h"
#include "api/services.h"
#include "api/status_wire.h"
#include "dsp/simd.h"
#include "engine/latency_list.h"
#include "engine/renderer.h"

namespace rta::api::requests {
namespace {

double seconds_since(TimePoint then, TimePoint now) { return std::chrono::duration<double>(now - then).count(); }

/// Lists only the nodes with the highest latency, so that the answer fits into a frame.
void describe_latency(const LatencyReport& latency, const AudioGraph& graph, v1::EngineState& state) {
    constexpr std::size_t kMostNodes = 256;
    state.set_latency_frames(latency.output_frames);
    state.set_latency_compensation(graph.latency_compensation());
    for (const LatencyReport::Node& from : longest_latencies(latency, kMostNodes)) {
        v1::NodeLatency& node = *state.add_node_latencies();
        node.set_node(graph.find(from.node)->name());
        node.set_latency_frames(from.own_frames);
        node.set_output_latency_frames(from.output_frames);
    }
}

void describe_engine(const Engine& engine, std::uint64_t change_number, v1::EngineState& state) {
    const EngineStatistics statistics = engine.statistics();
    state.set_block_size_frames(engine.config().block_size);
    state.set_frame(engine.renderer().frames());
    state.set_revision(engine.revision());
    state.set_change_number(change_number);
    state.set_node_count(static_cast<std::uint32_t>(engine.graph().node_count()));
    state.set_connection_count(static_cast<std::uint32_t>(engine.graph().connection_count()));
    state.set_plans_made(statistics.plans_made);
    state.set_plans_freed(statistics.plans_freed);
    state.set_plans_alive(statistics.plans_alive);
    state.set_telemetry_dropped(statistics.telemetry_dropped);
    state.set_output_muted(engine.output_muted());
    state.set_output_volume_db(engine.output_volume_db());
    state.set_simd_target(std::string{dsp::simd_target()});
    describe_latency(engine.latency(), engine.graph(), state);
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
    }
}

}  // namespace

void get_status(Call& call) {
    const Services& services = call.services;
    const TimePoint now = services.clock();
    v1::StatusResult& result = *call.request.answer().mutable_get_status();
    result.set_server_version(RTA_VERSION);
    result.set_instance_id(services.hub.instance_id());
    result.set_uptime_s(seconds_since(services.start, now));
    to_wire(services.daemon.device_status(), *result.mutable_device());
    to_wire(services.daemon.realtime_status(), *result.mutable_realtime());
    to_wire(services.daemon.store_status(), *result.mutable_store());
    to_wire(services.daemon.load_status(), services.engine.renderer().frames(), *result.mutable_load());
    result.set_tls_fingerprint(services.daemon.tls_fingerprint());
    describe_engine(services.engine, services.hub.number(), *result.mutable_engine());
    result.mutable_engine()->set_heard_revision(services.commands.heard_revision());
    describe_clients(services.clients, now, result);
    if (auto waiting = services.confirmation.waiting()) *result.mutable_confirmation() = std::move(*waiting);
}

}  // namespace rta::api::requests
