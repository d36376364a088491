// SPDX-License-Identifier: MIT
#include "api/identity.h"

#include <unistd.h>

#include "text/access_token.h"
#include "text/quoting.h"

namespace rta::api {
namespace {

std::unexpected<Error> unauthenticated(std::string sentence) {
    return fail(ErrorCode::unauthenticated, std::move(sentence));
}

constexpr std::string_view kHowToGetAToken =
    "create one with `rtactl token new --role control NAME` as root on the machine of rtad, and send it as Hello.token "
    "(rtactl: --token-file FILE)";

Expected<Identity> identity_of(const TokenInfo& token, const Access& access) {
    if (token.expired(access.now_s())) return std::unexpected(expired_token(token.name, *token.expires_s));
    return Identity{.role = token.role, .author = token.name, .token = token.name, .expires_s = token.expires_s};
}

Identity local_identity(const Entry& entry) {
    if (!entry.user_id) return {.role = Role::control, .author = "unknown user"};
    const bool owns_daemon = *entry.user_id == 0 || *entry.user_id == ::geteuid();
    return {.role = owns_daemon ? Role::admin : Role::control, .author = "uid " + std::to_string(*entry.user_id)};
}

Expected<Identity> loopback_identity(const Access& access) {
    if (access.has_tokens())
        return unauthenticated("an access token is required on TCP: " + std::string{kHowToGetAToken});
    return Identity{.role = Role::control, .author = std::string{kLoopbackAuthor}};
}

Expected<Identity> certificate_identity(const Entry& entry, const Access& access) {
    if (entry.certificate_name.empty())
        return unauthenticated("an access token is required on TLS: " + std::string{kHowToGetAToken});
    if (const auto token = access.find_name(entry.certificate_name)) return identity_of(*token, access);
    return unauthenticated("no access token has the name of the client certificate, " + quoted(entry.certificate_name) +
                           ": create one with `rtactl token new`, which gives the certificate its role");
}

}  // namespace

Expected<Identity> identify(const Entry& entry, std::string_view token, const Access& access) {
    if (!token.empty()) {
        // A text of any other form is no token: its length must not decide how long the search takes.
        const auto found = is_token(token) ? access.find_secret(token) : std::nullopt;
        if (found) return identity_of(*found, access);
        return unauthenticated("unknown access token: it is incorrect, or has been revoked");
    }
    switch (entry.door) {
        case Entry::Door::unix_socket:
            return local_identity(entry);
        case Entry::Door::loopback:
            return loopback_identity(access);
        case Entry::Door::tls:
            return certificate_identity(entry, access);
        case Entry::Door::unknown:
            break;
    }
    return Identity{.role = Role::admin};
}

Error expired_token(const std::string& name, std::int64_t expires_s) {
    return {ErrorCode::unauthenticated,
            "the access token " + quoted(name) + " expired at " + utc_text(expires_s) + "; create a new one",
            {}};
}

}  // namespace rta::api
