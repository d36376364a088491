// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "status/access.h"
#include "text/error.h"

namespace rta::api {

using rta::Role;

class Workers;

/// The access tokens, implemented by `app`. This class itself has none, and no place to keep them. [control]
class Access {
 public:
    /// A token that a client creates.
    struct NewToken {
        std::string name;
        Role role = Role::none;
        std::optional<std::int64_t> lifetime_s{};  ///< nullopt: it does not expire
        std::string author{};                      ///< for the log: who creates it
    };
    struct Created {
        TokenInfo info;
        std::string secret;  ///< the text of the token, which cannot be read again
    };

    Access() = default;
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;
    virtual ~Access() = default;

    /// Returns whether at least one token exists, expired or not. Then clients on TCP need one.
    [[nodiscard]] virtual bool has_tokens() const { return false; }
    /// Returns the token with this text, expired or not. The time does not depend on which token it resembles.
    [[nodiscard]] virtual std::optional<TokenInfo> find_secret(std::string_view) const { return std::nullopt; }
    [[nodiscard]] virtual std::optional<TokenInfo> find_name(std::string_view) const { return std::nullopt; }
    /// Returns all tokens in the order in which they were created.
    [[nodiscard]] virtual std::vector<TokenInfo> list() const { return {}; }
    /// Returns the time of day, in seconds since 1970, by which tokens expire.
    [[nodiscard]] virtual std::int64_t now_s() const;

    /// Creates a token. Calls `done` once, on the control thread, when it is on the disk: later, or before it returns.
    /// INVALID_ARGUMENT, ALREADY_EXISTS, RESOURCE_EXHAUSTED; UNAVAILABLE if it cannot be saved; FAILED_PRECONDITION
    /// without a token file.
    virtual void create(const NewToken& token, Workers& workers, const std::function<void(Expected<Created>)>& done);
    /// Revokes a token, in the same way. NOT_FOUND. `author` is for the log.
    virtual void revoke(const std::string& name, const std::string& author, Workers& workers,
                        const std::function<void(Expected<void>)>& done);
};

/// Returns an object without tokens.
[[nodiscard]] Access& no_access();

}  // namespace rta::api
