// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "api/entry.h"
#include "net/limits.h"
#include "text/error.h"

namespace rta::net {

/// Decides which clients may come in. Counts clients by number, in total and by address (api::network_of()), user and
/// group. [control]
///
/// A few places are reserved for each of the groups `owner`, `unix_socket` and `loopback`, so that clients of the other
/// groups cannot lock them out. When a limit is reached, a client that is idle makes room: one without Hello before all
/// others, then the one that has been idle the longest.
class Admission {
 public:
    using Number = std::uint64_t;
    using TimePoint = std::chrono::steady_clock::time_point;

    enum class Group : std::uint8_t {
        other,        ///< TLS; no places are reserved
        owner,        ///< root and the daemon's user, on a Unix socket
        unix_socket,  ///< all other users
        loopback,
    };
    static constexpr std::size_t kGroups = 4;

    /// A client that may be disconnected to make room.
    struct Idle {
        bool introduced = false;  ///< has sent Hello
        TimePoint since{};
    };
    /// Returns nullopt for a client that must stay.
    using FindIdle = std::function<std::optional<Idle>(Number)>;

    struct Answer {
        std::optional<Error> refusal{};
        std::optional<Number> displaced{};  ///< must leave before the new client enters
    };

    /// `own_user_id` is the daemon's user.
    Admission(const ServerLimits& limits, std::uint32_t own_user_id) : limits_{limits}, own_user_id_{own_user_id} {}

    /// Returns whether a client may come in, and whom it displaces. Changes nothing.
    [[nodiscard]] Answer ask(const api::Entry& entry, const FindIdle& find_idle) const;
    /// Precondition: ask() has admitted the entry, and the displaced client has left.
    void enter(Number number, const api::Entry& entry);
    /// Does nothing if the client has left already.
    void leave(Number number);

    [[nodiscard]] std::size_t count() const { return clients_.size(); }
    [[nodiscard]] Group group_of(const api::Entry& entry) const;
    /// Returns the number of places of this group that no other group can take.
    [[nodiscard]] std::size_t reserved(Group group) const;

 private:
    struct Place {
        Group group;
        std::string network;
        std::optional<std::uint32_t> user_id;
    };
    enum class Limit : std::uint8_t { none, total, address, user };

    [[nodiscard]] Limit exceeded_by(const Place& place, const Place* without) const;
    [[nodiscard]] bool group_has_room(Group group, const Place* without) const;
    [[nodiscard]] std::optional<Number> find_displaced(const Place& place, const FindIdle& find_idle) const;
    [[nodiscard]] Error refusal(Limit limit, const Place& place) const;
    [[nodiscard]] Place place_of(const api::Entry& entry) const;

    const ServerLimits limits_;
    const std::uint32_t own_user_id_;
    std::map<Number, Place> clients_;
    std::array<std::size_t, kGroups> groups_{};
    std::map<std::string, std::size_t> networks_;
    std::map<std::uint32_t, std::size_t> users_;
};

}  // namespace rta::net
