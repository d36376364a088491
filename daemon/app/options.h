// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "io/device_request.h"
#include "net/log.h"
#include "text/error.h"

namespace rta::app {

/// `rtad` itself.
struct DaemonOptions {
    io::DeviceRequest device;
    std::vector<std::string> listen;  ///< HOST:PORT; empty: no TCP at all
    std::string socket;               ///< path
    bool socket_for_group = false;    ///< it is in a folder that the service manager has made for us
    std::string state_directory;      ///< folder; empty: nothing is remembered
    std::string graph;                ///< file; empty: starts with an empty graph
    net::LogLevel log_level = net::LogLevel::info;
};

/// `rtad devices`
struct DevicesOptions {};

/// `rtad check FILE`
struct CheckOptions {
    std::string file;  ///< FILE.toml: a configuration; "-": a graph on standard input; else a graph
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
    std::string error;   ///< for stderr: lines, the first of which is the error
};

/// Reads the command line, and the file of --config below it: what the command line says wins. The default socket
/// depends on RUNTIME_DIRECTORY and XDG_RUNTIME_DIR.
[[nodiscard]] std::variant<Options, EarlyExit> parse_options(int argc, const char* const* argv);

/// Reads a configuration file by the definitions that the flags have: its keys are the flags' names without dashes.
/// What the file leaves out is as on an empty command line. Errors name the file, the line and the key.
[[nodiscard]] Expected<DaemonOptions> read_config_file(const std::string& path);

/// Where the Unix socket is unless --socket says otherwise: `$RUNTIME_DIRECTORY/control.sock`, else
/// `$XDG_RUNTIME_DIR/rtad/control.sock`, else `/run/rtad/control.sock`.
[[nodiscard]] std::string default_socket_path();

}  // namespace rta::app
