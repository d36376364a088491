// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include "api/call.h"
#include "api/client.h"
#include "api/services.h"
#include "text/format_number.h"

namespace rta::api::requests {
namespace {

/// The events that a client has asked for.
struct Subscription {
    bool changes = false;
    Telemetry::Topics telemetry{};
    std::vector<PortWatches::Watch> watches{};
};

Expected<Subscription> to_subscription(const v1::Subscribe& request) {
    const bool all = request.topics().empty() && request.watches().empty();
    Subscription wanted{.changes = all, .telemetry = {.levels = all, .load = all, .xruns = all}};
    for (const v1::PortWatch& watch : request.watches()) wanted.watches.push_back({watch.port(), watch.spectrum()});
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
                            "unknown topic " + std::to_string(topic) +
                                ": expected TOPIC_CHANGES (1), TOPIC_LEVELS (2), TOPIC_LOAD (3), "
                                "TOPIC_XRUNS (4) or TOPIC_NODE_LOADS (5)");
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

}  // namespace

void subscribe(Call& call) {
    const auto wanted = to_subscription(call.request.message.subscribe());
    if (!wanted) return call.request.refuse(wanted.error());
    if (auto may = call.client.become_subscriber(); !may) return call.request.refuse(may.error());
    Services& services = call.services;
    if (auto watched = services.watches.subscribe(call.client, wanted->watches, wanted->telemetry.rate_hz); !watched)
        return call.request.refuse(watched.error());
    if (wanted->changes) {
        services.hub.subscribe(call.client);
    } else {
        services.hub.unsubscribe(call.client);
    }
    services.telemetry.subscribe(call.client, wanted->telemetry, services.clock());
    services.wake();
    v1::SubscribeResult& result = *call.request.answer().mutable_subscribe();
    result.set_instance_id(services.hub.instance_id());
    result.set_change_number(services.hub.number());
}

}  // namespace rta::api::requests
