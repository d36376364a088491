// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <utility>

#include "rtactl/context/config_file.h"
#include "rtactl/context/context.h"
#include "rtactl/context/given_options.h"
#include "rtactl/language/invocation.h"
#include "text/suggestion.h"

namespace rta::rtactl {

namespace {

std::string environment(const char* name) {
    const char* const text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): the environment does not change
    return text == nullptr ? std::string{} : std::string{text};
}

/// Adds a value from the environment, unless the option was given or the variable is empty.
void add_variable(GivenOptions& given, const char* option, const char* variable) {
    std::string value = environment(variable);
    if (value.empty()) return;
    given.try_emplace(option,
                      Given{.value = std::move(value), .source = std::string{"environment variable "} + variable});
}

/// Whether the command line gives the option, or one that replaces it.
bool is_overridden(const GivenOptions& given, const std::string& option) {
    if (option == "--tls-ca" || option == "--tls-fingerprint") {
        return given.contains("--tls-ca") || given.contains("--tls-fingerprint");
    }
    const bool own_certificate = given.contains("--tls-cert") || given.contains("--tls-key");
    if (option == "--tls-cert" || option == "--tls-key") return own_certificate;
    // The daemon would use the token, not the certificate.
    if (option == "--token-file") return own_certificate || given.contains(option);
    return given.contains(option);
}

/// Returns the address of a host with another port.
Result<std::string> with_port(const Given& address, std::uint16_t port, const Given& host) {
    auto endpoint = client::parse_tcp_endpoint(address.value);
    if (!endpoint) return usage_error(host.source + ": a Unix socket has no port; " + address.source + " is a path");
    endpoint->port = port;
    return client::to_string(*endpoint);
}

/// Replaces NAME and NAME:PORT by the address of the host of that name, and adds its options.
Result<void> use_host_of(const ConfigFile& file, GivenOptions& given) {
    const auto found = given.find("--host");
    if (found == given.end()) return {};
    const Given host = found->second;
    const auto written = client::parse_tcp_endpoint(host.value);  // not an address: the path of a socket
    const NamedHost* const named = written ? file.find(written->host) : nullptr;
    if (named == nullptr) return {};
    Given address = named->options.at("--host");
    if (written->host != host.value) {
        auto other = with_port(address, written->port, host);
        if (!other) return std::unexpected(std::move(other.error()));
        address.value = std::move(*other);
    }
    const GivenOptions from_outside = given;
    for (const auto& [option, value] : named->options) {
        if (!is_overridden(from_outside, option)) given.emplace(option, value);
    }
    given["--host"] = std::move(address);
    return {};
}

/// Returns the host of the file that was probably meant by an address that the file does not name; may be empty.
std::string similar_host(const ConfigFile& file, const GivenOptions& given) {
    const auto host = given.find("--host");
    if (host == given.end()) return {};
    const auto written = client::parse_tcp_endpoint(host->second.value);
    if (!written || file.find(written->host) != nullptr) return {};
    std::vector<std::string_view> names;
    names.reserve(file.hosts.size());
    for (const NamedHost& named : file.hosts) names.push_back(named.name);
    return std::string{closest_name(written->host, names)};
}

}  // namespace

Result<ContextOptions> context_options(const Arguments& globals) {
    GivenOptions given;
    for (const auto& [option, value] : globals.options) given[option] = {.value = value, .source = option};
    // Only the environment and the configuration file may name a socket in this way.
    if (const auto host = globals.value("--host")) {
        if (const auto endpoint = client::parse_tcp_endpoint(*host); !endpoint) {
            return usage_error("--host: " + endpoint.error());
        }
    }
    std::string similar;
    if (!given.contains("--socket")) {
        add_variable(given, "--host", "RTACTL_HOST");
        const auto file = read_config_file(default_config_file());
        if (!file) return std::unexpected(file.error());
        if (file->host) given.try_emplace("--host", *file->host);
        similar = similar_host(*file, given);
        if (auto used = use_host_of(*file, given); !used) return std::unexpected(std::move(used.error()));
    }
    // The token of the environment is for all hosts, so it does not replace the certificate for this one.
    if (!given.contains("--tls-cert")) add_variable(given, "--token-file", "RTACTL_TOKEN_FILE");
    auto options = read_given(given);
    if (!options) return options;
    options->json = globals.has("--json");
    options->similar_host = std::move(similar);
    return options;
}

}  // namespace rta::rtactl
