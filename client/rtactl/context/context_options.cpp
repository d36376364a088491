// SPDX-License-Identifier: MIT
#include <cstdlib>

#include "rta/known_hosts.h"
#include "rtactl/context/context.h"
#include "text/quantity.h"
#include "text/quoting.h"

namespace rta::rtactl {

namespace {

Result<std::chrono::milliseconds> parse_timeout(std::string_view text) {
    constexpr double kLongestS = 86'400;
    const auto seconds = parse_value(text, ValueUnit::seconds);
    if (!seconds) return usage_error("--timeout: " + seconds.error());
    if (!(*seconds >= 0.001 && *seconds <= kLongestS)) {
        return usage_error("--timeout: " + quoted(text) + " is out of range; expected 1ms to 86400s");
    }
    return std::chrono::milliseconds{static_cast<long long>(*seconds * 1000.0)};
}

/// Reads RTACTL_HOST, if set: a path is a socket, anything else an address.
Result<std::optional<client::Endpoint>> environment_endpoint() {
    const char* const text =
        std::getenv("RTACTL_HOST");  // NOLINT(concurrency-mt-unsafe): the environment does not change
    if (text == nullptr || *text == '\0') return std::nullopt;
    auto endpoint = client::parse_endpoint(text);
    if (!endpoint) return usage_error("environment variable RTACTL_HOST: " + endpoint.error());
    return std::move(*endpoint);
}

/// Reads the options of TLS, which require a host.
Result<client::TlsOptions> tls_options(const Arguments& globals, std::span<const client::Endpoint> endpoints) {
    client::TlsOptions tls;
    const auto ca = globals.value("--tls-ca");
    const auto fingerprint = globals.value("--tls-fingerprint");
    tls.on_loopback = globals.has("--tls") || ca || fingerprint;
    if (tls.on_loopback && (endpoints.size() != 1 || !std::holds_alternative<client::TcpEndpoint>(endpoints[0]))) {
        return usage_error("--tls, --tls-ca and --tls-fingerprint require --host");
    }
    if (ca && fingerprint) return usage_error("--tls-ca and --tls-fingerprint exclude each other");
    if (ca && ca->empty()) return usage_error("--tls-ca: empty path");
    if (fingerprint && !client::is_fingerprint(*fingerprint)) {
        return usage_error("--tls-fingerprint: invalid fingerprint " + quoted(*fingerprint) +
                           ": expected SHA256: and 43 characters of base64, as `rtad` logs at start");
    }
    if (ca) tls.ca_file = *ca;
    if (fingerprint) tls.fingerprint = *fingerprint;
    return tls;
}

}  // namespace

Result<ContextOptions> context_options(const Arguments& globals) {
    ContextOptions options;
    options.json = globals.has("--json");
    const auto host = globals.value("--host");
    const auto socket = globals.value("--socket");
    if (host && socket) return usage_error("--host and --socket exclude each other");
    if (host) {
        auto endpoint = client::parse_tcp_endpoint(*host);
        if (!endpoint) return usage_error("--host: " + endpoint.error());
        options.endpoints.emplace_back(std::move(*endpoint));
    } else if (socket) {
        if (socket->empty()) return usage_error("--socket: empty path");
        options.endpoints.emplace_back(client::UnixEndpoint{std::string{*socket}});
    } else {
        auto endpoint = environment_endpoint();
        if (!endpoint) return std::unexpected(std::move(endpoint.error()));
        if (*endpoint) {
            options.endpoints.push_back(std::move(**endpoint));
        } else {
            options.endpoints = client::local_endpoints();
        }
    }
    auto tls = tls_options(globals, options.endpoints);
    if (!tls) return std::unexpected(std::move(tls.error()));
    options.tls = std::move(*tls);
    if (const auto file = globals.value("--token-file")) {
        if (file->empty()) return usage_error("--token-file: empty path");
        options.token_file = *file;
    } else if (const char* const environment_file =
                   std::getenv("RTACTL_TOKEN_FILE")) {  // NOLINT(concurrency-mt-unsafe): as above
        options.token_file = environment_file;
    }
    if (const auto timeout = globals.value("--timeout")) {
        const auto parsed = parse_timeout(*timeout);
        if (!parsed) return std::unexpected(parsed.error());
        options.timeout = *parsed;
    }
    return options;
}

}  // namespace rta::rtactl
