// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "api/client.h"
#include "api/services.h"

namespace rta::api::requests {

/// Describes tokens and sessions, with the numbers of clients that use them.
class TokenDescriber {
 public:
    explicit TokenDescriber(const Services& services) : now_s_{services.daemon.access().now_s()} {
        for (const Client* const client : services.clients) {
            ++token_clients_[client->identity().token];
            ++session_clients_[client->identity().session];
        }
    }

    void describe(const TokenInfo& token, v1::TokenState& state) const {
        state.set_name(token.name);
        state.set_role(std::string{role_name(token.role)});
        state.set_created_s(token.created_s);
        if (token.expires_s) state.set_expires_s(*token.expires_s);
        state.set_expired(token.expired(now_s_));
        state.set_client_count(count(token_clients_, token.name));
    }

    void describe(const SessionTokens::Session& session, v1::SessionState& state) const {
        state.set_name(session.name);
        state.set_role(std::string{role_name(session.identity.role)});
        state.set_author(session.identity.author);
        state.set_created_s(session.created_s);
        state.set_expires_s(session.identity.expires_s.value_or(0));
        state.set_client_count(count(session_clients_, session.name));
    }

 private:
    using Counts = std::unordered_map<std::string_view, std::uint32_t>;  ///< of clients, by a name
    [[nodiscard]] static std::uint32_t count(const Counts& counts, std::string_view name) {
        const auto found = counts.find(name);
        return found == counts.end() ? 0 : found->second;
    }

    std::int64_t now_s_;
    Counts token_clients_;
    Counts session_clients_;
};

}  // namespace rta::api::requests
