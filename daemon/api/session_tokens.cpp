// SPDX-License-Identifier: MIT
#include "api/session_tokens.h"

#include <algorithm>
#include <utility>

namespace rta::api {
namespace {

/// 120 bits: 20 characters, so that a QR code with the address stays small.
constexpr std::size_t kCodeBytes = 15;
constexpr std::size_t kCodeCharacters = 20;
/// As in an access token.
constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kTokenCharacters = 43;

std::unexpected<Error> no_cryptography() {
    return fail(ErrorCode::internal, "OpenSSL cannot make random numbers, or compute SHA-256");
}

/// The author of those who enter with a code of this client, and with codes of theirs.
std::string author_of_codes(const Identity& creator) {
    if (!creator.session.empty()) return creator.author;
    return creator.author.empty() ? "code" : "code of " + creator.author;
}

bool has_expired(const Identity& identity, std::int64_t now_s) {
    return identity.expires_s && *identity.expires_s <= now_s;
}

}  // namespace

std::int64_t SessionTokens::latest_end(const Identity& creator, std::int64_t now_s) {
    const std::int64_t latest = now_s + kSessionLifetimeS;
    return std::min(creator.expires_s.value_or(latest), latest);
}

Expected<std::string> SessionTokens::create_code(const Identity& creator, Role role, TimePoint now) {
    if (role > creator.role) {
        return fail(ErrorCode::permission_denied, "a code for the role " + std::string{role_name(role)} +
                                                      " needs that role; this client has the role " +
                                                      std::string{role_name(creator.role)});
    }
    std::erase_if(codes_, [now](const Code& code) { return code.expires <= now; });
    Identity identity = creator;
    identity.role = role;
    identity.author = author_of_codes(creator);
    const auto of_author = static_cast<std::size_t>(
        std::ranges::count_if(codes_, [&](const Code& code) { return code.identity.author == identity.author; }));
    if (of_author >= kMaximumCodesOfAuthor || codes_.size() >= kMaximumCodes) {
        const bool of_all = of_author < kMaximumCodesOfAuthor;
        return fail(ErrorCode::resource_exhausted,
                    std::to_string(of_all ? codes_.size() : of_author) + " one-time codes" +
                        (of_all ? "" : " of this author") +
                        " are still valid, the maximum: use one, or wait until they expire after " +
                        std::to_string(kCodeLifetime.count()) + " s");
    }
    auto text = tls::random_text(kCodeBytes);
    const auto secret = text ? tls::SecretHash::of(*text) : std::nullopt;
    if (!secret) return no_cryptography();
    codes_.push_back({.secret = *secret,
                      .creator = std::exchange(identity.session, {}),
                      .identity = std::move(identity),
                      .expires = now + kCodeLifetime});
    return *std::move(text);
}

/// Compares with every code, whether or not an earlier one matched.
std::vector<SessionTokens::Code>::iterator SessionTokens::find_code(std::string_view text) {
    auto found = codes_.end();
    if (text.size() != kCodeCharacters) return found;
    for (auto code = codes_.begin(); code != codes_.end(); ++code) {
        if (code->secret.matches(text)) found = code;
    }
    return found;
}

/// Whether the clients of a session have created a code that is still valid, or with which another session has begun. Such a
/// session does not make room: those that it has invited would have to end with it.
bool SessionTokens::has_invited(const std::string& session) const {
    return std::ranges::find(codes_, session, &Code::creator) != codes_.end() ||
           std::ranges::find(sessions_, session, &Session::creator) != sessions_.end();
}

Expected<void> SessionTokens::make_room(const std::string& author,
                                        const std::function<bool(const std::string& name)>& is_connected) {
    const auto is_of_author = [&](const Session& session) { return session.identity.author == author; };
    const auto of_author = static_cast<std::size_t>(std::ranges::count_if(sessions_, is_of_author));
    if (of_author < kMaximumSessionsOfAuthor && sessions_.size() < kMaximumSessions) return {};
    const auto idle = std::ranges::find_if(sessions_, [&](const Session& session) {
        return is_of_author(session) && !has_invited(session.name) && !is_connected(session.name);
    });
    if (idle == sessions_.end()) {
        return fail(ErrorCode::resource_exhausted,
                    std::to_string(of_author) + " sessions of this author and " + std::to_string(sessions_.size()) +
                        " in all have begun with one-time codes; at most " + std::to_string(kMaximumSessionsOfAuthor) +
                        " and " + std::to_string(kMaximumSessions) +
                        " are possible, and each of this author has a client or has invited another one: end one with "
                        "`rtactl token revoke`");
    }
    sessions_.erase(idle);
    return {};
}

Expected<SessionTokens::Begun> SessionTokens::begin(std::string_view code, TimePoint now, std::int64_t now_s,
                                                    const std::function<bool(const std::string& name)>& is_connected) {
    remove_expired(now, now_s);
    const auto used = find_code(code);
    if (used == codes_.end()) {
        return fail(ErrorCode::unauthenticated,
                    "unknown one-time code: it is incorrect, was used, or has expired; create another one with "
                    "`rtactl web`");
    }
    if (const auto room = make_room(used->identity.author, is_connected); !room) return std::unexpected(room.error());
    const auto random = tls::random_text(kTokenBytes);
    std::string token = random ? std::string{kTokenPrefix} + *random : std::string{};
    const auto secret = random ? tls::SecretHash::of(token) : std::nullopt;
    if (!secret) return no_cryptography();
    Session session{.name = std::string{kNamePrefix} + std::to_string(++last_number_),
                    .creator = used->creator,
                    .identity = used->identity,
                    .created_s = now_s,
                    .secret = *secret};
    session.identity.expires_s = latest_end(used->identity, now_s);
    session.identity.session = session.name;
    sessions_.push_back(std::move(session));
    codes_.erase(used);
    return Begun{.identity = sessions_.back().identity, .token = std::move(token)};
}

Expected<Identity> SessionTokens::identify(std::string_view token, std::int64_t now_s) const {
    const Session* found = nullptr;
    const bool well_formed = token.size() == kTokenPrefix.size() + kTokenCharacters && token.starts_with(kTokenPrefix);
    for (const Session& session : sessions_) {
        if (well_formed && session.secret.matches(token)) found = &session;
    }
    if (found == nullptr) {
        return fail(
            ErrorCode::unauthenticated,
            "unknown session: it has ended, or rtad was started again; create a one-time code with `rtactl web`");
    }
    if (auto expired = find_expiry(found->identity, now_s)) return std::unexpected(std::move(*expired));
    return found->identity;
}

std::vector<std::string> SessionTokens::end(std::string_view name) {
    std::vector<std::string> ended;
    const auto has_ended = [&](const std::string& other) { return std::ranges::find(ended, other) != ended.end(); };
    // A session begins after that of the creator of its code.
    std::erase_if(sessions_, [&](const Session& session) {
        if (session.name != name && !has_ended(session.creator)) return false;
        ended.push_back(session.name);
        return true;
    });
    std::erase_if(codes_, [&](const Code& code) { return has_ended(code.creator); });
    return ended;
}

void SessionTokens::end_if(const std::function<bool(const Identity&)>& is_ended) {
    std::erase_if(codes_, [&](const Code& code) { return is_ended(code.identity); });
    std::erase_if(sessions_, [&](const Session& session) { return is_ended(session.identity); });
}

void SessionTokens::remove_expired(TimePoint now, std::int64_t now_s) {
    std::erase_if(codes_, [&](const Code& code) { return code.expires <= now || has_expired(code.identity, now_s); });
    std::erase_if(sessions_, [&](const Session& session) { return has_expired(session.identity, now_s); });
}

}  // namespace rta::api
