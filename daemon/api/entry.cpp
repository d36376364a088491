// SPDX-License-Identifier: MIT
#include "api/entry.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace rta::api {
namespace {

/// Returns the host of HOST:PORT, without brackets.
std::string host_of(std::string_view address) {
    std::string_view host = address.substr(0, address.rfind(':'));
    if (host.size() >= 2 && host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return std::string{host};
}

std::string text_of(int family, const void* address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(family, address, text.data(), static_cast<socklen_t>(text.size()));
    return text.data();
}

std::string network_of(const in_addr& address) {
    constexpr std::uint32_t kLoopbackNetwork = 127;
    return ntohl(address.s_addr) >> 24U == kLoopbackNetwork ? "loopback" : text_of(AF_INET, &address);
}

}  // namespace

std::string network_of(const Entry& entry) {
    if (entry.door == Entry::Door::unix_socket) return {};
    const std::string host = host_of(entry.address);
    in_addr ipv4{};
    if (::inet_pton(AF_INET, host.c_str(), &ipv4) == 1) return network_of(ipv4);
    const std::size_t scope = std::min(host.find('%'), host.size());
    in6_addr ipv6{};
    if (::inet_pton(AF_INET6, host.substr(0, scope).c_str(), &ipv6) != 1) return {};
    if (IN6_IS_ADDR_LOOPBACK(&ipv6)) return "loopback";
    if (IN6_IS_ADDR_V4MAPPED(&ipv6)) {
        std::memcpy(&ipv4, &ipv6.s6_addr[12], sizeof ipv4);
        return network_of(ipv4);
    }
    if (IN6_IS_ADDR_LINKLOCAL(&ipv6)) return text_of(AF_INET6, &ipv6) + host.substr(scope);
    std::fill(&ipv6.s6_addr[8], &ipv6.s6_addr[8] + 8, std::uint8_t{0});
    return text_of(AF_INET6, &ipv6) + "/64";
}

}  // namespace rta::api
