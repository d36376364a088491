// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "status/status.h"

namespace rta::api {

struct Services;

/// The clients that are connected, and what those have lost that have been.
struct ClientsStatus {
    std::size_t count = 0;
    std::size_t subscribed = 0;
    std::uint64_t telemetry_dropped = 0;  ///< events that clients did not read in time, since the start

    void visit_fields(auto&& field) const {
        field("count", count);
        field("subscribed", subscribed);
        field("telemetry_dropped", telemetry_dropped);
    }
};

/// Memory of the graph, as estimated before its nodes are built, and its limit.
struct GraphMemory {
    std::uint64_t bytes = 0;
    std::uint64_t limit_bytes = 0;  ///< --max-graph-memory; 0: none

    void visit_fields(auto&& field) const {
        field("bytes", bytes);
        if (limit_bytes != 0) field("limit_bytes", limit_bytes);
    }
};

/// The state of the daemon at one time, as get_status and the metrics report it.
struct StatusSnapshot {
    DeviceStatus device{};
    LoadStatus load{};
    RealtimeStatus realtime{};
    EngineStatus engine{};
    StoreStatus store{};
    ClientsStatus clients{};
    GraphMemory graph_memory{};
    ProcessStatus process{};
    std::string version{};  ///< of rtad
    double uptime_s = 0;

    void visit_fields(auto&& field) const {
        field("device", device);
        field("load", load);
        field("realtime", realtime);
        field("engine", engine);
        if (!store.directory.empty()) field("store", store);
        field("clients", clients);
        field("graph_memory", graph_memory);
        field("process", process);
        field("version", version);
        field("uptime_s", uptime_s);
    }
};

/// Reads the state of the daemon, without that of the process. [control]
[[nodiscard]] StatusSnapshot take_status(const Services& services);

}  // namespace rta::api
