// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <string>

#include "api/client.h"
#include "api/services.h"

namespace rta::api::requests {

/// Describes a token, with the number of clients that use it.
inline void describe_token(const TokenInfo& token, const Services& services, v1::TokenState& state) {
    state.set_name(token.name);
    state.set_role(std::string{role_name(token.role)});
    state.set_created_s(token.created_s);
    if (token.expires_s) state.set_expires_s(*token.expires_s);
    state.set_expired(token.expired(services.daemon.access().now_s()));
    const auto uses_it = [&](const Client* client) { return client->identity().token == token.name; };
    state.set_client_count(static_cast<std::uint32_t>(std::ranges::count_if(services.clients, uses_it)));
}

}  // namespace rta::api::requests
