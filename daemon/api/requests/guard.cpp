// SPDX-License-Identifier: MIT
#include "api/requests/guard.h"

#include <string>

#include "api/services.h"
#include "graph/edit_checks.h"

namespace rta::api::requests {
namespace {

/// Returns why the guard does not hold; empty if it does.
std::string violation(const Services& services, const v1::Guard& guard) {
    const EventHub& hub = services.hub;
    GuardWish wish{.instance = guard.expected_instance()};
    if (guard.has_expected_revision()) wish.revision = guard.expected_revision();
    if (guard.has_expected_change()) wish.change = guard.expected_change();
    return guard_violation({.instance = hub.instance_id(),
                            .revision = services.engine.revision(),
                            .change = hub.number(),
                            .latest_edit = hub.latest_edit().number,
                            .author = hub.latest_edit().author,
                            .client_name = hub.latest_edit().client_name},
                           wish);
}

}  // namespace

bool guard_holds(Call& call, const v1::Guard& guard) {
    const std::string why = violation(call.services, guard);
    if (why.empty()) return true;
    call.request.refuse(Error{ErrorCode::aborted, why + "; nothing has changed; read the graph again", {}});
    const EventHub& hub = call.services.hub;
    v1::Conflict& conflict = *call.request.reply.mutable_response()->mutable_status()->mutable_conflict();
    conflict.set_revision(call.services.engine.revision());
    conflict.set_change_number(hub.number());
    conflict.set_author(hub.latest_edit().author);
    conflict.set_client_name(hub.latest_edit().client_name);
    return false;
}

}  // namespace rta::api::requests
