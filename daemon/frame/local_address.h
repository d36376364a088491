// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Where a daemon listens unless it is told otherwise, and so where a client of the same machine looks for it.
namespace rta {

inline constexpr std::uint16_t kDefaultPort = 7340;
inline constexpr const char* kLoopbackAddress = "127.0.0.1";
/// "127.0.0.1:7340"
[[nodiscard]] inline std::string default_tcp_address() {
    return std::string{kLoopbackAddress} + ":" + std::to_string(kDefaultPort);
}

/// The Unix sockets to look at, in this order; the daemon listens on the first. `control.sock` in `runtime_directory`
/// ($RUNTIME_DIRECTORY of a unit of systemd, which separates several folders by colons: the first is the unit's own),
/// in the folder rtad of `user_directory` ($XDG_RUNTIME_DIR), in /run/rtad. A folder that is empty is left out.
[[nodiscard]] inline std::vector<std::string> local_sockets(std::string_view runtime_directory,
                                                            std::string_view user_directory) {
    std::vector<std::string> sockets;
    const std::string own{runtime_directory.substr(0, runtime_directory.find(':'))};
    if (!own.empty()) sockets.push_back(own + "/control.sock");
    if (!user_directory.empty()) sockets.push_back(std::string{user_directory} + "/rtad/control.sock");
    sockets.emplace_back("/run/rtad/control.sock");
    return sockets;
}

}  // namespace rta
