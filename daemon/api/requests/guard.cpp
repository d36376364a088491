// SPDX-License-Identifier: MIT
#include "api/requests/guard.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "api/services.h"
#include "text/quoting.h"

namespace rta::api::requests {
namespace {

/// An instance id is shorter; a client may send anything.
constexpr std::size_t kLongestShown = 64;

/// "; the latest change is that of uid 1000 (client \"rtactl\")", or nothing if no client has made one.
std::string latest_author(const LatestEdit& latest) {
    if (latest.number == 0) return {};
    std::string text = "; the latest change is that of ";
    text += latest.author.empty() ? "an unknown author" : latest.author;
    if (!latest.client_name.empty()) text += " (client " + quoted(latest.client_name) + ")";
    return text;
}

/// Returns why the guard does not hold; empty if it does.
std::string violation(const Services& services, const v1::Guard& guard) {
    const EventHub& hub = services.hub;
    if (!guard.expected_instance().empty() && guard.expected_instance() != hub.instance_id()) {
        return "this is instance " + hub.instance_id() + " of rtad, not the expected " +
               quoted(std::string_view{guard.expected_instance()}.substr(0, kLongestShown)) + ": it was started again";
    }
    const std::uint64_t revision = services.engine.revision();
    if (guard.has_expected_revision() && guard.expected_revision() != revision) {
        return "the graph is at revision " + std::to_string(revision) + ", not at the expected revision " +
               std::to_string(guard.expected_revision()) + latest_author(hub.latest_edit());
    }
    if (!guard.has_expected_change()) return {};
    const std::uint64_t expected = guard.expected_change();
    if (hub.latest_edit().number > expected) {
        return "change " + std::to_string(hub.latest_edit().number) + " is later than the expected change " +
               std::to_string(expected) + latest_author(hub.latest_edit());
    }
    if (expected > hub.number()) {
        return "the expected change " + std::to_string(expected) + " does not exist: the latest is " +
               std::to_string(hub.number());
    }
    return {};
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
