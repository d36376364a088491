// SPDX-License-Identifier: MIT
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/call.h"
#include "api/client.h"
#include "api/services.h"
#include "graph/layout.h"
#include "text/format_number.h"
#include "text/quoting.h"

namespace rta::api::requests {
namespace {

/// The events that a client has asked for.
struct Subscription {
    bool changes = false;
    Telemetry::Topics telemetry{};
    std::shared_ptr<const NodeFilter> filter{};  ///< null: all nodes
    std::vector<PortWatches::Watch> watches{};
};

Expected<std::shared_ptr<const NodeFilter>> to_filter(const v1::Subscribe& request) {
    const auto& names = request.nodes();
    if (names.empty()) return nullptr;
    if (static_cast<std::size_t>(names.size()) > NodeFilter::kMaximumNodes) {
        return fail(ErrorCode::invalid_argument, std::to_string(names.size()) + " nodes; expected at most " +
                                                     std::to_string(NodeFilter::kMaximumNodes));
    }
    const auto invalid = std::ranges::find_if_not(names, is_node_name);
    if (invalid != names.end())
        return fail(ErrorCode::invalid_argument, "invalid node name " + quoted(*invalid) + " in nodes");
    return std::make_shared<const NodeFilter>(std::vector<std::string>{names.begin(), names.end()});
}

Expected<void> check_resume(const v1::Subscribe& request, bool changes) {
    if (!request.has_resume_after()) return {};
    if (!changes)
        return fail(ErrorCode::invalid_argument, "resume_after without TOPIC_CHANGES, whose events it counts");
    if (request.resume_instance().empty()) {
        return fail(ErrorCode::invalid_argument,
                    "resume_after without resume_instance: expected the instance_id that the number is of");
    }
    return {};
}

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
    if (const auto valid = check_resume(request, wanted.changes); !valid) return std::unexpected(valid.error());
    auto filter = to_filter(request);
    if (!filter) return std::unexpected(std::move(filter.error()));
    wanted.filter = std::move(*filter);
    return wanted;
}

/// Returns the number after which the events continue; nullopt if some are not kept, or are of another instance.
std::optional<std::uint64_t> resumed_after(const v1::Subscribe& request, const EventHub& hub) {
    const bool kept = request.has_resume_after() && request.resume_instance() == hub.instance_id() &&
                      hub.keeps_after(request.resume_after());
    return kept ? std::optional{request.resume_after()} : std::nullopt;
}

}  // namespace

void subscribe(Call& call) {
    const v1::Subscribe& request = call.request.message.subscribe();
    const auto wanted = to_subscription(request);
    if (!wanted) return call.request.refuse(wanted.error());
    if (auto may = call.client.become_subscriber(); !may) return call.request.refuse(may.error());
    Services& services = call.services;
    if (auto watched = services.watches.subscribe(call.client, wanted->watches, wanted->telemetry.rate_hz); !watched)
        return call.request.refuse(watched.error());
    const std::optional<std::uint64_t> after = resumed_after(request, services.hub);
    call.client.filter_events(wanted->filter);
    wanted->changes ? call.client.follow_changes(after) : call.client.ignore_changes();
    services.telemetry.subscribe(call.client, wanted->telemetry, services.clock());
    services.wake();
    v1::SubscribeResult& result = *call.request.answer().mutable_subscribe();
    result.set_instance_id(services.hub.instance_id());
    result.set_change_number(call.client.latest_change());
    result.set_resumed(after.has_value());
}

}  // namespace rta::api::requests
