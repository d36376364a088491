// SPDX-License-Identifier: MIT
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "api/call.h"
#include "api/client.h"
#include "api/services.h"
#include "text/quoting.h"

namespace rta::api::requests {
namespace {

std::size_t disconnect_clients_of(Services& services, const std::string& token) {
    services.sessions.end_if([&](const Identity& identity) { return identity.token == token; });
    return services.end_sessions([&](const Client& client) -> std::optional<Error> {
        if (client.identity().token != token) return std::nullopt;
        return Error{
            ErrorCode::unauthenticated, "the access token " + quoted(token) + " was revoked; disconnecting", {}};
    });
}

/// Also ends the sessions that have begun with codes of its clients.
void end_session(Call& call, const std::string& name) {
    const std::vector<std::string> ended = call.services.sessions.end(name);
    if (ended.empty()) {
        return call.request.refuse(
            {ErrorCode::not_found, "unknown session " + quoted(name) + "; `token list` lists the sessions", {}});
    }
    call.services.daemon.access_changed(name + " was ended by " + call.client.identity().author);
    const std::size_t disconnected = call.services.end_sessions([&](const Client& client) -> std::optional<Error> {
        if (std::ranges::find(ended, client.identity().session) == ended.end()) return std::nullopt;
        return Error{ErrorCode::unauthenticated, name + " was ended; disconnecting", {}};
    });
    call.request.answer().mutable_revoke_token()->set_disconnected_count(static_cast<std::uint32_t>(disconnected));
}

}  // namespace

void revoke_token(Call& call) {
    const std::string name = call.request.message.revoke_token().name();
    if (name.starts_with(SessionTokens::kNamePrefix)) return end_session(call, name);
    call.request.stage = PendingRequest::Stage::executed;
    Services& services = call.services;
    services.daemon.access().revoke(name, call.client.identity().author, services.workers,
                                    [&services, name, handle = call.handle()](const Expected<void>& revoked) {
                                        std::size_t disconnected = 0;
                                        // A client that revokes its own token still receives the answer, because answers keep their order.
                                        if (revoked) disconnected = disconnect_clients_of(services, name);
                                        handle.resume([&](Call& later) {
                                            if (!revoked) return later.request.refuse(revoked.error());
                                            later.request.answer().mutable_revoke_token()->set_disconnected_count(
                                                static_cast<std::uint32_t>(disconnected));
                                        });
                                    });
}

}  // namespace rta::api::requests
