// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "api/event_hub.h"
#include "api/host.h"
#include "api/pending_commands.h"
#include "api/telemetry.h"
#include "engine/engine.h"
#include "rta/v1/control.pb.h"
#include "text/error.h"

namespace rta::api {

class Client;

/// What is answered at once, to requests that change no graph and no sound. [control]
class Answers {
 public:
    /// All outlive this; `start` is when the daemon's time up begins.
    Answers(Engine& engine, const Host& host, const EventHub& hub, TimePoint start)
        : engine_{engine}, host_{host}, hub_{hub}, start_{start} {}

    /// `clients` are connected now.
    void answer_status(v1::StatusResult& result, TimePoint now, std::span<Client* const> clients) const;
    [[nodiscard]] Expected<void> answer_graph(const v1::GetGraph& request, v1::GraphResult& result) const;
    [[nodiscard]] Expected<void> answer_node_types(const v1::ListNodeTypes& request, v1::NodeTypesResult& result) const;
    [[nodiscard]] Expected<void> answer_frequency_response(const v1::GetFrequencyResponse& request,
                                                           v1::FrequencyResponseResult& result) const;
    [[nodiscard]] Expected<void> answer_reset_meters(const v1::ResetMeters& request, v1::ResetMetersResult& result);

 private:
    void answer_engine(v1::EngineState& state) const;
    static void list_clients(v1::StatusResult& result, TimePoint now, std::span<Client* const> clients);

    Engine& engine_;
    const Host& host_;
    const EventHub& hub_;
    const TimePoint start_;
};

/// What a client wants to be told.
struct Subscription {
    bool changes = false;
    Telemetry::Topics telemetry{};
};

/// INVALID_ARGUMENT: an unknown topic, a rate out of its range.
[[nodiscard]] Expected<Subscription> to_subscription(const v1::Subscribe& request);

}  // namespace rta::api
