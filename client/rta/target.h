// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "rta/client_options.h"
#include "rta/endpoint.h"
#include "rta/error.h"

namespace rta::client {

/// The daemon that a program connects to.
struct Target {
    Endpoints endpoints;
    ClientOptions options;
};

/// Returns the daemon at `address`. Without an address, returns the daemon that rtactl would use: the one in $RTACTL_HOST, or
/// else one on this machine; if `options` has no token, with the token in the file $RTACTL_TOKEN_FILE. That token is not sent
/// to an address that the program has chosen. Errors: bad_address, bad_token.
[[nodiscard]] Expected<Target> target_of(std::string_view address, ClientOptions options);

}  // namespace rta::client
