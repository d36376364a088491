// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// The default addresses of the daemon, at which clients on the same machine try to connect.
namespace rta {

inline constexpr std::uint16_t kDefaultPort = 7340;
inline constexpr const char* kLoopbackAddress = "127.0.0.1";
/// Returns "127.0.0.1:7340".
[[nodiscard]] inline std::string default_tcp_address() {
    return std::string{kLoopbackAddress} + ":" + std::to_string(kDefaultPort);
}

/// Returns the paths at which a client looks for the Unix socket, in order; the daemon listens at the first. They are
/// `control.sock` in `runtime_directory` ($RUNTIME_DIRECTORY, set by systemd; the first if it lists several, separated
/// by colons), in the folder `rtad` of `user_directory` ($XDG_RUNTIME_DIR), and in /run/rtad. Empty folders are left
/// out.
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
