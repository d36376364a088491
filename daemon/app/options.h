// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "api/server.h"
#include "io/device_request.h"

namespace rta::app {

/// `rtad` itself.
struct DaemonOptions {
    io::DeviceRequest device;
    std::vector<std::string> listen;  ///< HOST:PORT
    std::string socket;               ///< path
    std::string state_directory;      ///< folder; empty: nothing is remembered
    std::string graph;                ///< file; empty: starts with an empty graph
    api::LogLevel log_level = api::LogLevel::info;
};

/// `rtad devices`
struct DevicesOptions {};

/// `rtad check FILE`
struct CheckOptions {
    std::string file;  ///< "-": standard input
};

/// `rtad render`
struct RenderOptions {
    std::string graph;
    double duration_s = 0;
    std::string output;
    std::string input;  ///< empty: none
    std::uint32_t sample_rate_hz = 48'000;
    std::uint32_t block_size = 64;
};

using Options = std::variant<DaemonOptions, DevicesOptions, CheckOptions, RenderOptions>;

/// What ends the program before it has begun: --help, --version, or a usage error.
struct EarlyExit {
    int status;
    std::string output;  ///< for stdout
    std::string error;   ///< for stderr
};

/// Reads the command line. The default socket depends on RUNTIME_DIRECTORY and XDG_RUNTIME_DIR.
[[nodiscard]] std::variant<Options, EarlyExit> parse_options(int argc, const char* const* argv);

/// Where the Unix socket is unless --socket says otherwise: `$RUNTIME_DIRECTORY/control.sock`, else
/// `$XDG_RUNTIME_DIR/rtad/control.sock`, else `/run/rtad/control.sock`.
[[nodiscard]] std::string default_socket_path();

}  // namespace rta::app
