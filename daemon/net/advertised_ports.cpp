// SPDX-License-Identifier: MIT
#include "net/advertised_ports.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <asio/ip/address_v4.hpp>
#include <asio/ip/address_v6.hpp>
#include <cstring>
#include <memory>
#include <optional>

#include "net/address.h"

namespace rta::net {
namespace {

using Family = AdvertisedPlace::Family;

/// Returns the address, without a scope, or nullopt if it is neither IPv4 nor IPv6.
std::optional<asio::ip::address> address_of(const sockaddr* generic) {
    if (generic == nullptr) return std::nullopt;
    if (generic->sa_family == AF_INET) {
        sockaddr_in address{};
        std::memcpy(&address, generic, sizeof address);
        return asio::ip::address_v4{ntohl(address.sin_addr.s_addr)};
    }
    if (generic->sa_family == AF_INET6) {
        sockaddr_in6 address{};
        std::memcpy(&address, generic, sizeof address);
        asio::ip::address_v6::bytes_type bytes{};
        std::memcpy(bytes.data(), &address.sin6_addr, bytes.size());
        return asio::ip::address_v6{bytes};
    }
    return std::nullopt;
}

AdvertisedPlace place_of(const asio::ip::address& address, const InterfaceOf& interface_of) {
    // A listener on [::] accepts IPv4 clients, too.
    if (address.is_unspecified()) return {.family = address.is_v4() ? Family::ipv4 : Family::both};
    return {.interface_index = interface_of(address), .family = address.is_v4() ? Family::ipv4 : Family::ipv6};
}

bool contains(const AdvertisedPlace& outer, const AdvertisedPlace& inner) {
    return (outer.interface_index == 0 || outer.interface_index == inner.interface_index) &&
           (outer.family == Family::both || outer.family == inner.family);
}

void add(std::vector<AdvertisedPlace>& places, const AdvertisedPlace& place) {
    if (std::ranges::any_of(places, [&](const AdvertisedPlace& known) { return contains(known, place); })) return;
    std::erase_if(places, [&](const AdvertisedPlace& known) { return contains(place, known); });
    places.push_back(place);
}

}  // namespace

std::vector<AdvertisedPort> advertised_ports(std::span<const std::string> addresses, const InterfaceOf& interface_of) {
    std::vector<AdvertisedPort> ports;
    for (const std::string& text : addresses) {
        const auto parsed = parse_address(text);
        if (!parsed) continue;
        asio::error_code error;
        const auto address = asio::ip::make_address(parsed->host, error);
        if (error || address.is_loopback()) continue;
        auto found = std::ranges::find(ports, parsed->port, &AdvertisedPort::port);
        if (found == ports.end()) found = ports.insert(ports.end(), AdvertisedPort{.port = parsed->port});
        add(found->places, place_of(address, interface_of));
    }
    return ports;
}

std::uint32_t interface_of(const asio::ip::address& address) {
    const asio::ip::address wanted = address.is_v6() ? asio::ip::address_v6{address.to_v6().to_bytes()} : address;
    if (address.is_v6() && address.to_v6().scope_id() != 0) {
        return static_cast<std::uint32_t>(address.to_v6().scope_id());
    }
    ifaddrs* all = nullptr;
    if (::getifaddrs(&all) != 0) return 0;
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner{all, &::freeifaddrs};
    for (const ifaddrs* entry = all; entry != nullptr; entry = entry->ifa_next) {
        if (address_of(entry->ifa_addr) == wanted) return ::if_nametoindex(entry->ifa_name);
    }
    return 0;
}

}  // namespace rta::net
