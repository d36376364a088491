// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "app/limits.h"
#include "io/device_request.h"
#include "net/log.h"
#include "status/access.h"
#include "status/durability.h"
#include "text/error.h"

namespace rta::app {

inline constexpr int kExitClean = 0;
inline constexpr int kExitFailure = 1;  ///< any failure that is not a usage error, such as a device that fails
inline constexpr int kExitUsage = 2;    ///< usage or configuration, such as an address in use or a bad graph file

/// `rtad` without a command.
struct DaemonOptions {
    io::DeviceRequest device;
    std::vector<std::string> listen;     ///< HOST:PORT or tls://HOST:PORT; empty: no TCP
    std::string web;                     ///< HOST:PORT or tls://HOST:PORT of the page; empty: not served
    std::string web_root;                ///< folder of the page; empty: the installed one
    std::vector<std::string> web_names;  ///< further names of the web server, see net::check_web_name()
    std::string tls_certificate;         ///< file; empty: the certificate in the state directory
    std::string tls_key;                 ///< file; empty if and only if tls_certificate is
    std::string tls_client_ca;           ///< file; empty: clients cannot present a certificate
    std::string socket;                  ///< path
    bool socket_for_group = false;       ///< the socket is in a runtime directory of the service manager
    std::string state_directory;         ///< empty: the graph is not saved
    Durability durability = Durability::sync;
    std::string tokens;                      ///< file of the access tokens; empty: that of the state directory
    std::string graph;                       ///< file; empty: start with an empty graph
    std::vector<std::string> media_folders;  ///< see media::MediaFolders; empty: nodes cannot open files
    Limits limits{};
    net::LogLevel log_level = net::LogLevel::info;
    std::string advertise;  ///< see net::Advertisement; empty: not advertised
};

/// `rtad devices`
struct DevicesOptions {};

/// `rtad check FILE`
struct CheckOptions {
    std::string file;  ///< FILE.toml: a configuration; "-": a graph on standard input; otherwise a graph file
    std::vector<std::string> media_folders;  ///< for a graph
};

/// `rtad render`
struct RenderOptions {
    std::string graph;
    std::optional<double> duration_s;  ///< std::nullopt: as long as the input and its tail
    std::optional<double> tail_s;      ///< std::nullopt: until the output is silent
    std::string output;
    std::string input;   ///< empty: silence
    bool align = false;  ///< remove the latency of the graph
    bool json = false;
    std::uint32_t sample_rate_hz = 48'000;
    std::uint32_t block_size = 64;
    std::vector<std::string> media_folders;
};

/// `rtad token new`, `list` and `revoke`
struct TokenOptions {
    enum class Action : std::uint8_t { list, create, revoke };
    Action action = Action::list;
    std::string name;
    Role role = Role::none;
    std::optional<std::int64_t> lifetime_s;  ///< std::nullopt: the token does not expire
    std::string file;                        ///< empty: that of the state directory
    std::string state_directory;
};

using Options = std::variant<DaemonOptions, DevicesOptions, CheckOptions, RenderOptions, TokenOptions>;

/// The program exits before it has started: --help, --version, or a usage error.
struct EarlyExit {
    int status;
    std::string output;  ///< for stdout
    std::string error;   ///< for stderr: lines, the first of which is the error
};

/// Parses the command line, which overrides the file of --config. The default socket depends on RUNTIME_DIRECTORY and
/// XDG_RUNTIME_DIR.
[[nodiscard]] std::variant<Options, EarlyExit> parse_options(int argc, const char* const* argv);

/// Reads a configuration file. Its keys are the flags of the daemon without their dashes, and are validated like them;
/// missing keys have the defaults of the flags. Errors name the file, the line and the key.
[[nodiscard]] Expected<DaemonOptions> read_config_file(const std::string& path);

/// Returns the default of --socket: `$RUNTIME_DIRECTORY/control.sock`, else `$XDG_RUNTIME_DIR/rtad/control.sock`, else
/// `/run/rtad/control.sock`.
[[nodiscard]] std::string default_socket_path();

}  // namespace rta::app
