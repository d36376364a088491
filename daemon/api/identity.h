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
    /// Name of the token, "uid 1000" or "loopback"; of a session, "code of" and that of the client that has created its
    /// code; empty for Door::unknown.
    std::string author{};
    std::string token{};    ///< name of its token, or of that of the client that has created its code; empty: none
    std::string session{};  ///< name of its session in SessionTokens; empty: none
    std::optional<std::int64_t> expires_s{};  ///< end of its token or session, as TokenInfo::expires_s
    bool needs_no_tokens = false;             ///< its access ends when the first access token is created
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

/// Returns why the client has no access any more; nullopt: its token or session has not expired. [any]
[[nodiscard]] std::optional<Error> find_expiry(const Identity& identity, std::int64_t now_s);

/// The error for a client on TCP that has no token, and needs one. [any]
[[nodiscard]] Error token_required(std::string_view where);

}  // namespace rta::api
