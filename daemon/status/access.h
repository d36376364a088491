// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rta {

/// What a client may do. Each role includes the roles before it.
enum class Role : std::uint8_t {
    none,     ///< nothing: a client that has not sent Hello
    read,     ///< reads and subscribes
    control,  ///< changes the graph and what is heard
    admin,    ///< changes the daemon: tokens and the device
};

/// Names of the roles, in the order of Role. A token has one of the last three.
inline constexpr std::array<std::string_view, 4> kRoleNames{"none", "read", "control", "admin"};

/// Returns the name of a role, as in the protocol and on the command line. [any]
[[nodiscard]] constexpr std::string_view role_name(Role role) { return kRoleNames[static_cast<std::size_t>(role)]; }

/// Returns the role of a token for its name; nullopt for all other texts, such as "none". [any]
[[nodiscard]] constexpr std::optional<Role> token_role(std::string_view name) {
    for (const Role role : {Role::read, Role::control, Role::admin}) {
        if (role_name(role) == name) return role;
    }
    return std::nullopt;
}

/// What is known about an access token. Times are in seconds since 1970-01-01T00:00:00Z.
struct TokenInfo {
    std::string name{};  ///< the author of what its clients change
    Role role = Role::none;
    std::int64_t created_s = 0;
    std::optional<std::int64_t> expires_s{};  ///< nullopt: never

    [[nodiscard]] bool expired(std::int64_t now_s) const { return expires_s && *expires_s <= now_s; }
    [[nodiscard]] bool operator==(const TokenInfo&) const = default;
};

}  // namespace rta
