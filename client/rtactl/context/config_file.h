// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rtactl/context/given_options.h"
#include "rtactl/language/failure.h"

namespace rta::rtactl {

// The configuration of rtactl: hosts by name, with the options of their connections.
//
//     host = "studio"                      # used unless --host, --socket or RTACTL_HOST name another
//
//     [hosts.studio]
//     address = "10.0.0.5:7340"            # default: the name. Or the path of a Unix socket
//     token-file = "studio.token"          # options of rtactl without their dashes

/// A host in the file.
struct NamedHost {
    std::string name;
    GivenOptions options;  ///< the address as `--host`
};

struct ConfigFile {
    std::optional<Given> host;  ///< the daemon to use if none is given: the name of a host, or an address
    std::vector<NamedHost> hosts;

    /// Returns nullptr if the file does not name the host.
    [[nodiscard]] const NamedHost* find(std::string_view name) const;
};

/// Returns `rtactl/config.toml` in $XDG_CONFIG_HOME if that is an absolute path, else in ~/.config; empty without HOME.
[[nodiscard]] std::string default_config_file();

/// Parses the text of the file at `path`. Relative paths in it are relative to its folder, and ~/ is the home folder.
/// Checks every host. Errors name the file, the line and the key. Does not read the files that it names.
[[nodiscard]] Result<ConfigFile> parse_config_file(std::string_view text, const std::string& path);

/// Reads the file. One that does not exist, or an empty path, names no hosts. Refuses a file that other users could have
/// written, as ssh does: it decides where tokens are sent.
[[nodiscard]] Result<ConfigFile> read_config_file(const std::string& path);

}  // namespace rta::rtactl
