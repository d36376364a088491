// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "discovery/discovery.h"

namespace rta::client {

/// Collects announcements. Each network interface and address family announces the same daemon again.
class Sightings {
 public:
    struct Key {
        std::string name;
        int interface_index = 0;
        int protocol = 0;  ///< IPv4 or IPv6
        [[nodiscard]] auto operator<=>(const Key&) const = default;
    };
    struct Answer {
        std::string host{};
        std::uint16_t port = 0;
        std::string address{};  ///< numeric; empty: none that other programs can use
        std::vector<std::pair<std::string, std::string>> records{};  ///< TXT: key, value
    };

    /// Returns false if the daemon is known there already, or if there are too many.
    bool appeared(const Key& key);
    void answered(const Key& key, Answer answer);
    void disappeared(const Key& key) { seen_.erase(key); }

    /// Joins what belongs to one daemon.
    [[nodiscard]] Discovery discovery() const;

    static constexpr std::size_t kMaximum = 1024;

 private:
    std::map<Key, std::optional<Answer>> seen_;
    bool complete_ = true;
};

}  // namespace rta::client
