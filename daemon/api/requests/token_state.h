// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "api/client.h"
#include "api/services.h"

namespace rta::api::requests {

/// Describes tokens, with the numbers of clients that use them.
class TokenDescriber {
 public:
    explicit TokenDescriber(const Services& services) : now_s_{services.daemon.access().now_s()} {
        for (const Client* const client : services.clients) ++client_counts_[client->identity().token];
    }

    void describe(const TokenInfo& token, v1::TokenState& state) const {
        state.set_name(token.name);
        state.set_role(std::string{role_name(token.role)});
        state.set_created_s(token.created_s);
        if (token.expires_s) state.set_expires_s(*token.expires_s);
        state.set_expired(token.expired(now_s_));
        if (const auto found = client_counts_.find(token.name); found != client_counts_.end())
            state.set_client_count(found->second);
    }

 private:
    std::int64_t now_s_;
    std::unordered_map<std::string_view, std::uint32_t> client_counts_;  ///< by the names of tokens
};

}  // namespace rta::api::requests
