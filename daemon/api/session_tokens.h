// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/identity.h"
#include "api/waiter.h"
#include "text/error.h"
#include "tls/secret.h"

namespace rta::api {

/// One-time codes, and the sessions that begin with them. A session has a token of its own, so that its client can connect
/// again. All of them are in memory only, without their texts: none survives the daemon. [control]
///
/// A session has at most the rights of the client that has created its code, and ends with them: when the token of that
/// client expires or is revoked, or, if that client has entered on loopback because no token exists, when the first token is
/// created.
class SessionTokens {
 public:
    /// What precedes a code, and is part of a session token, in Hello.token.
    static constexpr std::string_view kCodePrefix = "code:";
    static constexpr std::string_view kTokenPrefix = "session:";
    /// What the names of sessions begin with. No access token has such a name.
    static constexpr std::string_view kNamePrefix = "session/";

    static constexpr std::chrono::seconds kCodeLifetime{120};
    static constexpr std::int64_t kSessionLifetimeS = 43'200;
    static constexpr std::size_t kMaximumCodes = 64;
    static constexpr std::size_t kMaximumCodesOfAuthor = 8;
    /// They bound the time of identify(), as TokenList::kMaximumTokens does that of access tokens.
    static constexpr std::size_t kMaximumSessions = 256;
    static constexpr std::size_t kMaximumSessionsOfAuthor = 32;

    struct Session {
        std::string name{};
        std::string creator{};  ///< name of the session of the client that has created the code; empty: it had none
        Identity identity{};    ///< of its clients
        std::int64_t created_s{};
        tls::SecretHash secret{};
    };
    struct Begun {
        Identity identity;
        std::string token;  ///< cannot be read again
    };

    /// Returns when a session ends at the latest that begins now with a code of this client, as TokenInfo::expires_s.
    [[nodiscard]] static std::int64_t latest_end(const Identity& creator, std::int64_t now_s);

    /// Creates a code, without its prefix. PERMISSION_DENIED for a role beyond that of the creator; RESOURCE_EXHAUSTED.
    [[nodiscard]] Expected<std::string> create_code(const Identity& creator, Role role, TimePoint now);

    /// Begins a session with the code, which is then used up. `is_connected` returns whether a session has clients: if the
    /// creator has too many sessions, the oldest one ends that has no client and has invited no other. UNAUTHENTICATED if the
    /// code is incorrect, used or expired; RESOURCE_EXHAUSTED.
    [[nodiscard]] Expected<Begun> begin(std::string_view code, TimePoint now, std::int64_t now_s,
                                        const std::function<bool(const std::string& name)>& is_connected);

    /// Returns who a client with this token of a session is. The time does not depend on which token it resembles.
    /// UNAUTHENTICATED.
    [[nodiscard]] Expected<Identity> identify(std::string_view token, std::int64_t now_s) const;
    /// In the order in which they began.
    [[nodiscard]] const std::vector<Session>& sessions() const { return sessions_; }

    /// Ends a session, with the codes that its clients have created and their sessions. Returns the names of all sessions that
    /// have ended; empty: none has this name.
    std::vector<std::string> end(std::string_view name);
    /// Ends all codes and sessions of clients that `is_ended` returns true for.
    void end_if(const std::function<bool(const Identity&)>& is_ended);
    /// Removes what has expired.
    void remove_expired(TimePoint now, std::int64_t now_s);

 private:
    struct Code {
        tls::SecretHash secret{};
        std::string creator{};  ///< as in Session
        Identity identity{};    ///< of the client that uses it
        TimePoint expires{};
    };
    [[nodiscard]] std::vector<Code>::iterator find_code(std::string_view text);
    [[nodiscard]] bool has_invited(const std::string& session) const;
    [[nodiscard]] Expected<void> make_room(const std::string& author,
                                           const std::function<bool(const std::string& name)>& is_connected);

    std::vector<Code> codes_;
    std::vector<Session> sessions_;
    std::uint64_t last_number_ = 0;
};

}  // namespace rta::api
