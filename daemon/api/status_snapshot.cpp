// SPDX-License-Identifier: MIT
#include "api/status_snapshot.h"

#include <chrono>
#include <string>

#include "api/client.h"
#include "api/services.h"
#include "dsp/simd.h"
#include "engine/renderer.h"

namespace rta::api {
namespace {

EngineStatus engine_status(const Services& services) {
    const Engine& engine = services.engine;
    const EngineStatistics statistics = engine.statistics();
    return {.block_size_frames = engine.config().block_size,
            .frame = engine.renderer().frames(),
            .revision = engine.revision(),
            .change_number = services.hub.number(),
            .node_count = static_cast<std::uint32_t>(engine.graph().node_count()),
            .connection_count = static_cast<std::uint32_t>(engine.graph().connection_count()),
            .plans_made = statistics.plans_made,
            .plans_freed = statistics.plans_freed,
            .plans_alive = statistics.plans_alive,
            .telemetry_dropped = statistics.telemetry_dropped,
            .output_muted = engine.output_muted(),
            .simd_target = std::string{dsp::simd_target()},
            .latency_frames = engine.latency().output_frames,
            .latency_compensation = engine.graph().latency_compensation(),
            .output_volume_db = engine.output_volume_db(),
            .heard_revision = services.commands.heard_revision()};
}

ClientsStatus clients_status(const Services& services) {
    ClientsStatus clients{.count = services.clients.size(),
                          .subscribed = services.subscribers,
                          .telemetry_dropped = services.telemetry_dropped};
    for (Client* const client : services.clients) clients.telemetry_dropped += client->outbox().telemetry_dropped();
    return clients;
}

}  // namespace

StatusSnapshot take_status(const Services& services) {
    return {.device = services.daemon.device_status(),
            .load = services.daemon.load_status(),
            .realtime = services.daemon.realtime_status(),
            .engine = engine_status(services),
            .store = services.daemon.store_status(),
            .clients = clients_status(services),
            .graph_memory = {.bytes = services.engine.graph().size().memory_bytes,
                             .limit_bytes = services.engine.config().limits.memory_bytes},
            .version = RTA_VERSION,
            .uptime_s = std::chrono::duration<double>(services.clock() - services.start).count()};
}

}  // namespace rta::api
