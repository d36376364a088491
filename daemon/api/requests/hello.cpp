// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "api/call.h"
#include "api/client.h"
#include "api/services.h"
#include "text/quoting.h"

namespace rta::api::requests {
namespace {

constexpr std::uint32_t kProtocolVersion = 1;
constexpr std::size_t kMaximumClientNameBytes = 128;

Expected<void> check_hello(const v1::Hello& hello, const Client& client) {
    if (client.introduced()) return fail(ErrorCode::failed_precondition, "hello was already received: send it once");
    if (hello.protocol_version() != kProtocolVersion) {
        return fail(ErrorCode::failed_precondition, "unsupported protocol version " +
                                                        std::to_string(hello.protocol_version()) +
                                                        ": rtad " RTA_VERSION " supports version 1");
    }
    if (hello.client_name().size() > kMaximumClientNameBytes || !is_printable(hello.client_name())) {
        return fail(ErrorCode::invalid_argument, "invalid client_name " + quoted(hello.client_name()) +
                                                     ": expected at most 128 bytes without control characters, line "
                                                     "separators and bidirectional formatting characters");
    }
    return {};
}

void refuse_attempt(Call& call, const Error& error) {
    Services& services = call.services;
    if (services.on_failed_attempt) services.on_failed_attempt(call.client.address(), error);
    services.failed_attempts.refuse(call, error, services.clock());
    services.wake();
}

Expected<SessionTokens::Begun> begin_session(Call& call, std::string_view code) {
    Services& services = call.services;
    const auto is_connected = [&](const std::string& session) {
        return std::ranges::any_of(services.clients,
                                   [&](const Client* client) { return client->identity().session == session; });
    };
    auto begun = services.sessions.begin(code, services.clock(), services.daemon.access().now_s(), is_connected);
    if (begun) {
        services.daemon.access_changed(begun->identity.session + " (" + std::string{role_name(begun->identity.role)} +
                                       ", " + begun->identity.author + ") began at " + call.client.address());
    }
    return begun;
}

/// Returns who the client is, with a new token if it has a one-time code.
Expected<SessionTokens::Begun> admit(Call& call, std::string_view token) {
    if (token.starts_with(SessionTokens::kCodePrefix))
        return begin_session(call, token.substr(SessionTokens::kCodePrefix.size()));
    auto identity = token.starts_with(SessionTokens::kTokenPrefix)
                        ? call.services.sessions.identify(token, call.services.daemon.access().now_s())
                        : identify(call.client.entry(), token, call.services.daemon.access());
    if (!identity) return std::unexpected(std::move(identity.error()));
    return SessionTokens::Begun{.identity = *std::move(identity), .token = {}};
}

}  // namespace

void hello(Call& call) {
    const v1::Hello& hello = call.request.message.hello();
    if (const auto valid = check_hello(hello, call.client); !valid) return call.request.refuse(valid.error());
    auto admitted = admit(call, hello.token());
    if (!admitted) {
        if (admitted.error().code == ErrorCode::unauthenticated) return refuse_attempt(call, admitted.error());
        return call.request.refuse(admitted.error());
    }
    call.client.introduce(hello.client_name(), std::move(admitted->identity));
    v1::HelloResult& result = *call.request.answer().mutable_hello();
    result.set_protocol_version(kProtocolVersion);
    result.set_server_version(RTA_VERSION);
    result.set_instance_id(call.services.hub.instance_id());
    result.set_role(std::string{role_name(call.client.identity().role)});
    result.set_author(call.client.identity().author);
    result.set_session_token(std::move(admitted->token));
}

}  // namespace rta::api::requests
