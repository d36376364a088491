// SPDX-License-Identifier: MIT
#include "api/requests/set_parameters.h"

#include <utility>

#include "api/call.h"
#include "api/client.h"
#include "api/requests/commit.h"
#include "api/requests/transaction.h"
#include "api/services.h"

namespace rta::api {

Expected<std::vector<SetParameter>> to_changes(const v1::SetParameters& message) {
    const auto count = static_cast<std::size_t>(message.changes_size());
    if (count == 0) return fail(ErrorCode::invalid_argument, "set_parameters has no changes: expected one or more");
    if (count > kMaximumItems) return std::unexpected(too_many_items("changes", count));
    if (auto fits = check_event_size(message.ByteSizeLong()); !fits) return std::unexpected(std::move(fits.error()));
    std::vector<SetParameter> changes;
    changes.reserve(count);
    for (const v1::SetParameter& change : message.changes()) changes.push_back(to_change(change));
    return changes;
}

namespace requests {
namespace {

/// Kept until the engine has room.
struct Changes final : RequestState {
    explicit Changes(std::vector<SetParameter>&& converted) : list{std::move(converted)} {}
    std::vector<SetParameter> list;
};

void publish_changes(Call& call, std::uint64_t revision) {
    call.services.hub.publish([&](v1::Event& event) {
        v1::ParametersChanged& changed = *event.mutable_parameters_changed();
        changed.set_revision(revision);
        changed.mutable_changes()->Swap(call.request.message.mutable_set_parameters()->mutable_changes());
        changed.set_client_name(call.client.name());
    });
}

}  // namespace

void set_parameters(Call& call) {
    Services& services = call.services;
    PendingRequest& request = call.request;
    if (request.state == nullptr) {
        auto changes = to_changes(request.message.set_parameters());
        if (!changes) return request.refuse(changes.error());
        request.state = std::make_unique<Changes>(std::move(*changes));
    }
    if (!services.parameter_room.may_ask(call.client)) {
        return retry_later(
            call, services.parameter_room,
            Error{ErrorCode::resource_exhausted, "other parameter changes wait for room in the engine", {}});
    }
    request.begin_answer().mutable_set_parameters();
    const auto ticket = services.engine.set_parameters(static_cast<const Changes&>(*request.state).list);
    if (!ticket) {
        if (ticket.error().code != ErrorCode::resource_exhausted) return request.refuse(ticket.error());
        return retry_later(call, services.parameter_room, ticket.error());
    }
    committed(call, services.parameter_room);
    publish_changes(call, ticket->revision);
    request.state.reset();
    await_frame(call, *ticket);
}

}  // namespace requests
}  // namespace rta::api
