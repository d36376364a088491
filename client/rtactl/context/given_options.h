// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <string>

#include "rtactl/context/context.h"

namespace rta::rtactl {

/// The text of an option, and what errors call it: `--tls-ca`, `environment variable RTACTL_HOST`, or
/// `/home/ada/.config/rtactl/config.toml: line 3: tls-ca`.
struct Given {
    std::string value;  ///< empty for a flag
    std::string source;
};

/// The options of the connection that were given, by their names (`--tls-ca`), whatever gave them. `--host` may also be
/// the path of a socket.
using GivenOptions = std::map<std::string, Given, std::less<>>;

/// Reads the options of the connection. Without `--host` and `--socket`, the daemon of this machine is meant.
[[nodiscard]] Result<ContextOptions> read_given(const GivenOptions& given);

}  // namespace rta::rtactl
