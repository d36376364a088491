// SPDX-License-Identifier: MIT
#pragma once

#include <asio/ip/address.hpp>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace rta::net {

/// A network interface, or all of them, and the address families on which a port is advertised.
struct AdvertisedPlace {
    enum class Family : std::uint8_t { both, ipv4, ipv6 };

    std::uint32_t interface_index = 0;  ///< 0: all interfaces
    Family family = Family::both;
    [[nodiscard]] bool operator==(const AdvertisedPlace&) const = default;
};

/// A port on which other machines can reach the daemon.
struct AdvertisedPort {
    std::uint16_t port = 0;
    std::vector<AdvertisedPlace> places{};  ///< none contains another
    [[nodiscard]] bool operator==(const AdvertisedPort&) const = default;
};

/// Returns the index of the interface that has the address; 0 if it is not known.
using InterfaceOf = std::function<std::uint32_t(const asio::ip::address&)>;

/// Returns the ports of these listeners, without those on loopback addresses, in order of their first address.
/// `addresses` are as Server::listen_tcp() returns them. A listener on one address is advertised on the interface of that
/// address, and a listener on all addresses on all interfaces. [any]
[[nodiscard]] std::vector<AdvertisedPort> advertised_ports(std::span<const std::string> addresses,
                                                           const InterfaceOf& interface_of);

/// Asks the system.
[[nodiscard]] std::uint32_t interface_of(const asio::ip::address& address);

}  // namespace rta::net
