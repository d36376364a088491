// SPDX-License-Identifier: MIT
#include "api/identity.h"

#include <unistd.h>

#include <utility>

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
    Identity identity{.role = token.role, .author = token.name, .token = token.name, .expires_s = token.expires_s};
    if (auto expired = find_expiry(identity, access.now_s())) return std::unexpected(std::move(*expired));
    return identity;
}

Expected<Identity> token_identity(std::string_view text, const Access& access) {
    // A text of any other form is no token: its length must not decide how long the search takes.
    const auto found = is_token(text) ? access.find_secret(text) : std::nullopt;
    if (found) return identity_of(*found, access);
    return unauthenticated("unknown access token: it is incorrect, or has been revoked");
}

Identity local_identity(const Entry& entry) {
    if (!entry.user_id) return {.role = Role::control, .author = "unknown user"};
    const bool owns_daemon = *entry.user_id == 0 || *entry.user_id == ::geteuid();
    return {.role = owns_daemon ? Role::admin : Role::control, .author = "uid " + std::to_string(*entry.user_id)};
}

Expected<Identity> loopback_identity(const Access& access) {
    if (access.has_tokens()) return std::unexpected(token_required("TCP"));
    return Identity{.role = Role::control, .author = std::string{kLoopbackAuthor}, .needs_no_tokens = true};
}

Expected<Identity> certificate_identity(const Entry& entry, const Access& access) {
    if (entry.certificate_name.empty()) return std::unexpected(token_required("TLS"));
    if (const auto token = access.find_name(entry.certificate_name)) return identity_of(*token, access);
    return unauthenticated("no access token has the name of the client certificate, " + quoted(entry.certificate_name) +
                           ": create one with `rtactl token new`, which gives the certificate its role");
}

}  // namespace

Expected<Identity> identify(const Entry& entry, std::string_view token, const Access& access) {
    if (!token.empty()) return token_identity(token, access);
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

std::optional<Error> find_expiry(const Identity& identity, std::int64_t now_s) {
    if (!identity.expires_s || *identity.expires_s > now_s) return std::nullopt;
    const bool is_session = !identity.session.empty();
    return Error{
        ErrorCode::unauthenticated,
        (is_session ? identity.session + " ended at " : "the access token " + quoted(identity.token) + " expired at ") +
            utc_text(*identity.expires_s) +
            (is_session ? "; create a one-time code with `rtactl web`" : "; create a new one"),
        {}};
}

Error token_required(std::string_view where) {
    return {ErrorCode::unauthenticated,
            "an access token is required on " + std::string{where} + ": " + std::string{kHowToGetAToken},
            {}};
}

}  // namespace rta::api
