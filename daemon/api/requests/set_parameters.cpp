// SPDX-License-Identifier: MIT
#include "api/requests/set_parameters.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "api/call.h"
#include "api/client.h"
#include "api/events/changes.h"
#include "api/requests/commit.h"
#include "api/requests/guard.h"
#include "api/requests/scheduled.h"
#include "api/requests/transaction.h"
#include "api/services.h"
#include "graph/edit_checks.h"

namespace rta::api {

Expected<std::vector<SetParameter>> to_changes(const v1::SetParameters& message) {
    const auto count = static_cast<std::size_t>(message.changes_size());
    if (count == 0) return std::unexpected(no_changes());
    if (count > kMaximumItems) return std::unexpected(too_many_items("changes", count));
    std::vector<SetParameter> changes;
    changes.reserve(count);
    for (const v1::SetParameter& from : message.changes()) {
        auto change = to_change(from);
        if (!change) return std::unexpected(at_edit(std::move(change.error()), changes.size()));
        changes.push_back(std::move(*change));
    }
    const auto relative = static_cast<std::size_t>(std::ranges::count_if(changes, &SetParameter::is_relative));
    if (auto fits = check_event_size(message.ByteSizeLong() + relative * kResultBytes); !fits)
        return std::unexpected(std::move(fits.error()));
    return changes;
}

namespace requests {
namespace {

/// Kept until the engine has room.
struct Changes final : RequestState {
    explicit Changes(std::vector<SetParameter>&& converted)
        : list{std::move(converted)}, results(list.size()), previous(list.size()) {}
    std::vector<SetParameter> list;
    std::vector<float> results;
    std::vector<float> previous;
};

/// Allocates what report_relative_changes() fills.
void prepare_relative_changes(const v1::SetParameters& message, const Changes& changes, v1::ParametersResult& result) {
    for (std::size_t i = 0; i < changes.list.size(); ++i) {
        if (changes.list[i].is_relative()) *result.add_relative_changes() = message.changes(static_cast<int>(i));
    }
}

/// Replaces the relative changes, in the message and in the result, by the values to which they have set the parameters.
void report_relative_changes(const Changes& changes, v1::SetParameters& message, v1::ParametersResult& result) {
    int index = 0;
    for (std::size_t i = 0; i < changes.list.size(); ++i) {
        if (!changes.list[i].is_relative()) continue;
        set_result(*message.mutable_changes(static_cast<int>(i)), changes.results[i]);
        set_result(*result.mutable_relative_changes(index++), changes.results[i]);
    }
}

}  // namespace

void set_parameters(Call& call) {
    Services& services = call.services;
    PendingRequest& request = call.request;
    if (request.state == nullptr) {
        const auto count = static_cast<std::size_t>(request.message.set_parameters().changes_size());
        if (auto fits = services.engine.check_changes_count(count); !fits) return request.refuse(fits.error());
        auto changes = to_changes(request.message.set_parameters());
        if (!changes) return request.refuse(changes.error());
        if (request.message.set_parameters().has_at()) return schedule_parameters(call, *changes);
        request.state = std::make_unique<Changes>(std::move(*changes));
    }
    if (!guard_holds(call, request.message.set_parameters().guard())) return;
    if (const auto admits = services.confirmation.admits_parameters(); !admits)
        return retry_after_progress(call, services.parameter_room, admits.error());
    auto& changes = static_cast<Changes&>(*request.state);
    const std::size_t room = changes.list.size();
    if (!services.parameter_room.may_ask(call.client, room)) {
        return retry_later(
            call, services.parameter_room, room,
            Error{ErrorCode::resource_exhausted, "other parameter changes wait for room in the engine", {}});
    }
    v1::ParametersResult& result = *request.begin_answer().mutable_set_parameters();
    prepare_relative_changes(request.message.set_parameters(), changes, result);
    const auto ticket = services.engine.set_parameters(changes.list, changes.results, changes.previous);
    if (!ticket) {
        if (ticket.error().code != ErrorCode::resource_exhausted) return request.refuse(ticket.error());
        if (services.engine.refused_until_progress())
            return retry_after_progress(call, services.parameter_room, ticket.error());
        return retry_later(call, services.parameter_room, room, ticket.error());
    }
    report_relative_changes(changes, *request.message.mutable_set_parameters(), result);
    services.history.record({call.client.identity().author, call.client.name()}, ticket->revision, services.clock(),
                            changes.list, changes.previous, changes.results);
    services.confirmation.parameters_changed(changes.list, changes.previous, changes.results);
    committed(call, services.parameter_room);
    publish_parameters(services.hub, {call.client.name(), call.client.identity().author}, ticket->revision,
                       *call.request.message.mutable_set_parameters(), changes.previous);
    request.state.reset();
    await_frame(call, *ticket);
}

}  // namespace requests
}  // namespace rta::api
