// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/access.h"
#include "api/entry.h"
#include "text/error.h"

namespace rta::api {

/// Who a client is: what it may do, and under which name it does it. Decided when it sends Hello.
struct Identity {
    Role role = Role::none;
    std::string author{};                     ///< name of the token, "uid 1000" or "loopback"; empty for Door::unknown
    std::string token{};                      ///< name of its token; empty: none
    std::optional<std::int64_t> expires_s{};  ///< end of its token, as TokenInfo::expires_s
};

/// Identifies a client by where it has come in, and by the token in its Hello. A token decides alone, wherever the client
/// comes from: a program may take fewer rights than its user has. Without a token:
///
/// - Unix socket: root and the user of the daemon have the role admin, all others control;
/// - loopback: control, as long as no token exists;
/// - TLS: the role of the token that has the name of the client's certificate;
/// - unknown (tests, and programs that contain the daemon): admin.
///
/// UNAUTHENTICATED in all other cases, with a sentence that does not contain the token. [control]
[[nodiscard]] Expected<Identity> identify(const Entry& entry, std::string_view token, const Access& access);

/// The error for a token that has expired. [any]
[[nodiscard]] Error expired_token(const std::string& name, std::int64_t expires_s);

}  // namespace rta::api
