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
    std::string address{};                   ///< shown to other clients and in the log
    std::optional<std::uint32_t> user_id{};  ///< of the process at the other end of a Unix socket
    std::string certificate_name{};          ///< of a verified client certificate
};

}  // namespace rta::api
