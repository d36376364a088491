// SPDX-License-Identifier: MIT
#include "api/call.h"
#include "api/requests/token_state.h"
#include "api/services.h"

namespace rta::api::requests {

void list_tokens(Call& call) {
    v1::ListTokensResult& result = *call.request.answer().mutable_list_tokens();
    const TokenDescriber describer{call.services};
    for (const TokenInfo& token : call.services.daemon.access().list()) describer.describe(token, *result.add_tokens());
    for (const auto& session : call.services.sessions.sessions()) describer.describe(session, *result.add_sessions());
}

}  // namespace rta::api::requests
