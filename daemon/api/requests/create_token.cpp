// SPDX-License-Identifier: MIT
#include <optional>
#include <string>
#include <utility>

#include "api/call.h"
#include "api/client.h"
#include "api/requests/token_state.h"
#include "api/services.h"
#include "text/access_token.h"
#include "text/quoting.h"

namespace rta::api::requests {
namespace {

Expected<Access::NewToken> to_token(const v1::CreateToken& request, std::string author) {
    const auto role = token_role(request.role());
    if (!role) {
        return fail(ErrorCode::invalid_argument,
                    "invalid role " + quoted(request.role()) + ": expected read, control or admin");
    }
    Access::NewToken token{.name = request.name(), .role = *role, .author = std::move(author)};
    if (!request.has_lifetime_s()) return token;
    if (request.lifetime_s() < 1 || request.lifetime_s() > static_cast<std::uint64_t>(kLongestLifetimeS)) {
        return fail(ErrorCode::invalid_argument, "lifetime_s is " + std::to_string(request.lifetime_s()) +
                                                     "; it must be from 1 to " + std::to_string(kLongestLifetimeS));
    }
    token.lifetime_s = static_cast<std::int64_t>(request.lifetime_s());
    return token;
}

/// The first token closes TCP for clients that have none, also for those that are connected.
void disconnect_without_token(Services& services) {
    services.sessions.end_if([](const Identity& identity) { return identity.needs_no_tokens; });
    services.end_sessions([](const Client& client) -> std::optional<Error> {
        if (!client.identity().needs_no_tokens) return std::nullopt;
        return token_required("TCP");
    });
}

void answer_created(Call& call, const Expected<Access::Created>& created) {
    if (!created) return call.request.refuse(created.error());
    v1::CreateTokenResult& result = *call.request.answer().mutable_create_token();
    result.set_token(created->secret);
    TokenDescriber{call.services}.describe(created->info, *result.mutable_state());
}

}  // namespace

void create_token(Call& call) {
    const auto token = to_token(call.request.message.create_token(), call.client.identity().author);
    if (!token) return call.request.refuse(token.error());
    call.request.stage = PendingRequest::Stage::executed;
    Services& services = call.services;
    services.daemon.access().create(*token, services.workers,
                                    [&services, handle = call.handle()](const Expected<Access::Created>& created) {
                                        handle.resume([&](Call& later) { answer_created(later, created); });
                                        if (created) disconnect_without_token(services);
                                    });
}

}  // namespace rta::api::requests
