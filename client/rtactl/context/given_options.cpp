// SPDX-License-Identifier: MIT
#include "rtactl/context/given_options.h"

#include <utility>

#include "rta/known_hosts.h"
#include "text/access_token.h"
#include "text/quantity.h"
#include "text/quoting.h"

namespace rta::rtactl {

namespace {

const Given* find(const GivenOptions& given, std::string_view option) {
    const auto found = given.find(option);
    return found == given.end() ? nullptr : &found->second;
}

Result<std::string> parse_path(const Given& path) {
    if (path.value.empty()) return usage_error(path.source + ": empty path");
    return path.value;
}

Result<std::string> parse_token_path(const Given& path) {
    // Not repeated in the error: it is a secret.
    if (is_token(path.value)) return usage_error(path.source + ": expected the path of a file with the token");
    return parse_path(path);
}

Result<std::string> parse_fingerprint(const Given& fingerprint) {
    if (client::is_fingerprint(fingerprint.value)) return fingerprint.value;
    return usage_error(fingerprint.source + ": invalid fingerprint " + quoted(fingerprint.value) +
                       ": expected SHA256: and 43 characters of base64, as `rtad` logs at start");
}

Result<std::chrono::milliseconds> parse_timeout(const Given& timeout) {
    constexpr double kLongestS = 86'400;
    const auto seconds = parse_value(timeout.value, ValueUnit::seconds);
    if (!seconds) return usage_error(timeout.source + ": " + seconds.error());
    if (!(*seconds >= 0.001 && *seconds <= kLongestS)) {
        return usage_error(timeout.source + ": " + quoted(timeout.value) + " is out of range; expected 1ms to 86400s");
    }
    return std::chrono::milliseconds{static_cast<long long>(*seconds * 1000.0)};
}

Result<std::vector<client::Endpoint>> endpoints_in(const GivenOptions& given) {
    const Given* const host = find(given, "--host");
    const Given* const socket = find(given, "--socket");
    if (host != nullptr && socket != nullptr) return usage_error("--host and --socket exclude each other");
    if (socket != nullptr) {
        auto path = parse_path(*socket);
        if (!path) return std::unexpected(std::move(path.error()));
        return std::vector<client::Endpoint>{client::UnixEndpoint{std::move(*path)}};
    }
    if (host == nullptr) return client::local_endpoints();
    auto endpoint = client::parse_endpoint(host->value);
    if (!endpoint) return usage_error(host->source + ": " + endpoint.error());
    return std::vector<client::Endpoint>{std::move(*endpoint)};
}

/// Checks that an option of TLS is used with a host that can have it.
Result<void> require_tcp(const Given& option, const GivenOptions& given, const client::Endpoint& endpoint) {
    if (find(given, "--host") == nullptr) return usage_error(option.source + " requires --host");
    if (std::holds_alternative<client::TcpEndpoint>(endpoint)) return {};
    return usage_error(option.source + " requires a TCP address, but " + quoted(client::to_string(endpoint)) +
                       " is the path of a Unix socket");
}

/// Reads the certificate of this client: both options, or neither.
Result<void> read_own_certificate(const GivenOptions& given, client::TlsOptions& tls) {
    const Given* const certificate = find(given, "--tls-cert");
    const Given* const key = find(given, "--tls-key");
    if (certificate == nullptr && key == nullptr) return {};
    if (certificate == nullptr || key == nullptr) {
        const Given& only = certificate == nullptr ? *key : *certificate;
        const std::string missing = certificate == nullptr ? "tls-cert" : "tls-key";
        return usage_error(only.source + " requires " + (only.source.starts_with("--") ? "--" : "") + missing +
                           ", too");
    }
    auto certificate_path = parse_path(*certificate);
    if (!certificate_path) return std::unexpected(std::move(certificate_path.error()));
    auto key_path = parse_path(*key);
    if (!key_path) return std::unexpected(std::move(key_path.error()));
    tls.certificate_file = std::move(*certificate_path);
    tls.key_file = std::move(*key_path);
    return {};
}

Result<client::TlsOptions> tls_options_in(const GivenOptions& given, const client::Endpoint& endpoint) {
    client::TlsOptions tls;
    const Given* const ca = find(given, "--tls-ca");
    const Given* const fingerprint = find(given, "--tls-fingerprint");
    for (const Given* const option :
         {find(given, "--tls"), ca, fingerprint, find(given, "--tls-cert"), find(given, "--tls-key")}) {
        if (option == nullptr) continue;
        if (auto checked = require_tcp(*option, given, endpoint); !checked) {
            return std::unexpected(std::move(checked.error()));
        }
        tls.on_loopback = true;
    }
    if (ca != nullptr && fingerprint != nullptr) {
        return usage_error(ca->source + " and " + fingerprint->source + " exclude each other");
    }
    if (ca != nullptr) {
        auto path = parse_path(*ca);
        if (!path) return std::unexpected(std::move(path.error()));
        tls.ca_file = std::move(*path);
    }
    if (fingerprint != nullptr) {
        auto parsed = parse_fingerprint(*fingerprint);
        if (!parsed) return std::unexpected(std::move(parsed.error()));
        tls.fingerprint = std::move(*parsed);
    }
    if (auto read = read_own_certificate(given, tls); !read) return std::unexpected(std::move(read.error()));
    return tls;
}

}  // namespace

Result<ContextOptions> read_given(const GivenOptions& given) {
    ContextOptions options;
    auto endpoints = endpoints_in(given);
    if (!endpoints) return std::unexpected(std::move(endpoints.error()));
    options.endpoints = std::move(*endpoints);
    auto tls = tls_options_in(given, options.endpoints.front());
    if (!tls) return std::unexpected(std::move(tls.error()));
    options.tls = std::move(*tls);
    if (const Given* const file = find(given, "--token-file")) {
        auto path = parse_token_path(*file);
        if (!path) return std::unexpected(std::move(path.error()));
        options.token_file = std::move(*path);
    }
    if (const Given* const timeout = find(given, "--timeout")) {
        const auto parsed = parse_timeout(*timeout);
        if (!parsed) return std::unexpected(parsed.error());
        options.timeout = *parsed;
    }
    return options;
}

}  // namespace rta::rtactl
