// SPDX-License-Identifier: MIT
#include "rta/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <utility>

#include "text/quoting.h"

namespace rta::client {

namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
    return port;
}

/// Returns false for bytes that occur in no host name or address and would cause confusing errors.
bool is_host_text(std::string_view host) {
    return !host.empty() && host.size() <= 255 &&
           std::ranges::all_of(host, [](char c) { return c > ' ' && c < 0x7F && c != '/' && c != '[' && c != ']'; });
}

std::string_view environment(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here changes the environment
    return value == nullptr ? std::string_view{} : std::string_view{value};
}

}  // namespace

std::string to_string(const Endpoint& endpoint) {
    if (const auto* unix_endpoint = std::get_if<UnixEndpoint>(&endpoint)) return unix_endpoint->path;
    const auto& tcp = std::get<TcpEndpoint>(endpoint);
    const bool address_v6 = tcp.host.find(':') != std::string::npos;
    return (address_v6 ? "[" + tcp.host + "]" : tcp.host) + ":" + std::to_string(tcp.port);
}

bool is_loopback(const TcpEndpoint& endpoint) {
    in_addr v4{};
    if (::inet_pton(AF_INET, endpoint.host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24U) == IN_LOOPBACKNET;
    in6_addr v6{};
    if (::inet_pton(AF_INET6, endpoint.host.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
    return ::strcasecmp(endpoint.host.c_str(), "localhost") == 0;
}

std::expected<TcpEndpoint, std::string> parse_tcp_endpoint(std::string_view text) {
    const auto refuse = [&](std::string_view what) {
        return std::unexpected("invalid address " + quoted(text) + ": " + std::string{what} +
                               "; expected HOST, HOST:PORT or [IPV6]:PORT");
    };
    std::string_view host = text;
    std::optional<std::string_view> port_text;
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos) return refuse("missing ]");
        host = text.substr(1, close - 1);
        const std::string_view rest = text.substr(close + 1);
        if (!rest.empty()) {
            if (rest.front() != ':') return refuse("only a port may follow ]");
            port_text = rest.substr(1);
        }
    } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos && text.rfind(':') == colon) {
        host = text.substr(0, colon);
        port_text = text.substr(colon + 1);
    }
    if (!is_host_text(host)) return refuse("no valid host");
    TcpEndpoint endpoint{.host = std::string{host}};
    if (port_text) {
        const auto port = parse_port(*port_text);
        if (!port) return refuse("the port must be a number from 1 to 65535");
        endpoint.port = *port;
    }
    return endpoint;
}

std::expected<Endpoint, std::string> parse_endpoint(std::string_view text) {
    if (text.find("://") != std::string_view::npos) {
        return std::unexpected("invalid address " + quoted(text) + ": a URL; expected HOST, HOST:PORT, [IPV6]:PORT, or "
                               "the path of a socket");
    }
    if (text.find('/') != std::string_view::npos) return UnixEndpoint{std::string{text}};
    auto endpoint = parse_tcp_endpoint(text);
    if (!endpoint) return std::unexpected(endpoint.error() + ", or the path of a socket");
    return std::move(*endpoint);
}

std::vector<Endpoint> local_endpoints(std::string_view runtime_directory, std::string_view xdg_runtime_directory) {
    std::vector<Endpoint> endpoints;
    for (std::string& path : local_sockets(runtime_directory, xdg_runtime_directory)) {
        endpoints.emplace_back(UnixEndpoint{std::move(path)});
    }
    endpoints.emplace_back(TcpEndpoint{.host = kLoopbackAddress});
    return endpoints;
}

std::vector<Endpoint> local_endpoints() {
    return local_endpoints(environment("RUNTIME_DIRECTORY"), environment("XDG_RUNTIME_DIR"));
}

}  // namespace rta::client
