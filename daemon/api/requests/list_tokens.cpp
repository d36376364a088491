// SPDX-License-Identifier: MIT
#include "api/call.h"
#include "api/requests/token_state.h"
#include "api/services.h"

namespace rta::api::requests {

void list_tokens(Call& call) {
    v1::ListTokensResult& result = *call.request.answer().mutable_list_tokens();
    for (const TokenInfo& token : call.services.daemon.access().list())
        describe_token(token, call.services, *result.add_tokens());
}

}  // namespace rta::api::requests
