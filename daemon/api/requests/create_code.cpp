// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "api/call.h"
#include "api/client.h"
#include "api/services.h"
#include "text/quoting.h"

namespace rta::api::requests {

void create_code(Call& call) {
    Services& services = call.services;
    const Identity& creator = call.client.identity();
    const std::string& name = call.request.message.create_code().role();
    const auto role = name.empty() ? std::optional{creator.role} : token_role(name);
    if (!role) {
        return call.request.refuse(
            {ErrorCode::invalid_argument, "invalid role " + quoted(name) + ": expected read, control or admin", {}});
    }
    auto code = services.sessions.create_code(creator, *role, services.clock());
    if (!code) return call.request.refuse(code.error());
    services.daemon.access_changed("a one-time code (" + std::string{role_name(*role)} + ") was created by " +
                                   creator.author);
    v1::CreateCodeResult& result = *call.request.answer().mutable_create_code();
    for (const std::string& url : services.daemon.web_urls()) result.add_urls(url + "#code=" + *code);
    result.set_code(*std::move(code));
    result.set_role(std::string{role_name(*role)});
    result.set_lifetime_s(static_cast<std::uint32_t>(SessionTokens::kCodeLifetime.count()));
    const std::int64_t now_s = services.daemon.access().now_s();
    const std::int64_t session_s = SessionTokens::latest_end(creator, now_s) - now_s;
    result.set_session_lifetime_s(static_cast<std::uint32_t>(std::max<std::int64_t>(session_s, 0)));
}

}  // namespace rta::api::requests
