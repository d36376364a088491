// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace rta::api {

/// How a client has come in; known before its first byte.
struct Entry {
    enum class Door : std::uint8_t { unknown, unix_socket, loopback, tls };
    Door door = Door::unknown;
    std::string address{};  ///< HOST:PORT, or the path of the socket; shown to other clients and logged
    std::optional<std::uint32_t> user_id{};  ///< of the process at the other end of a Unix socket
    std::string certificate_name{};          ///< of a verified client certificate
};

/// Returns what counts as one address of clients: "192.0.2.7"; "2001:db8:0:1::/64", because one machine has all addresses
/// of such a network; or "loopback" for all addresses of the machine itself. A link-local IPv6 address counts alone. Empty
/// if the client has no IP address. [any]
[[nodiscard]] std::string network_of(const Entry& entry);

}  // namespace rta::api
