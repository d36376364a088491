// SPDX-License-Identifier: MIT
#include "rta/target.h"

#include <cstdlib>
#include <string>
#include <utility>

#include "rta/token_file.h"

namespace rta::client {

namespace {

/// Returns a variable of the environment; empty if it is not set.
std::string from_environment(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here changes the environment
    return value == nullptr ? std::string{} : std::string{value};
}

Expected<Endpoints> endpoints_of(std::string_view address, std::string_view source) {
    if (address.empty()) return Endpoints{local_endpoints()};
    auto endpoint = parse_endpoint(address);
    if (!endpoint) return fail(Error::Kind::bad_address, std::string{source} + endpoint.error());
    return Endpoints{{std::move(*endpoint)}};
}

}  // namespace

Expected<Target> target_of(std::string_view address, ClientOptions options) {
    auto endpoints = address.empty()
                         ? endpoints_of(from_environment("RTACTL_HOST"), "environment variable RTACTL_HOST: ")
                         : endpoints_of(address, "");
    if (!endpoints) return std::unexpected(std::move(endpoints.error()));
    if (const std::string file = from_environment("RTACTL_TOKEN_FILE");
        address.empty() && options.token.empty() && !file.empty()) {
        auto token = read_token_file(file);
        if (!token) return std::unexpected(std::move(token.error()));
        options.token = std::move(*token);
    }
    return Target{.endpoints = std::move(*endpoints), .options = std::move(options)};
}

}  // namespace rta::client
