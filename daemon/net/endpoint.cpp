// SPDX-License-Identifier: MIT
#include "net/endpoint.h"

#include <sys/un.h>

#include <algorithm>
#include <asio/io_context.hpp>

#include "net/address.h"
#include "text/quoting.h"

namespace rta::net {
namespace {

using asio::ip::tcp;

constexpr std::size_t kMaximumPathBytes = sizeof(sockaddr_un::sun_path) - 1;

Expected<tcp::endpoint> resolve(const HostAndPort& address, std::string_view text) {
    asio::io_context io;
    tcp::resolver resolver{io};
    asio::error_code error;
    const auto found =
        resolver.resolve(address.host, std::to_string(address.port), tcp::resolver::numeric_service, error);
    if (error || found.empty()) {
        return fail(ErrorCode::not_found, "cannot listen on " + quoted(text) + ": cannot resolve host " +
                                              quoted(address.host) + (error ? ": " + error.message() : ""));
    }
    const auto ipv4 =
        std::ranges::find_if(found, [](const auto& entry) { return entry.endpoint().protocol() == tcp::v4(); });
    return (ipv4 == found.end() ? found.begin() : ipv4)->endpoint();
}

}  // namespace

std::string to_string(const tcp::endpoint& endpoint) {
    const std::string address = endpoint.address().to_string();
    return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(endpoint.port());
}

bool overlap(const tcp::endpoint& a, const tcp::endpoint& b) {
    if (a.port() != b.port()) return false;
    const auto stands_for = [](const asio::ip::address& all, const asio::ip::address& one) {
        return all.is_unspecified() && (all.is_v6() || one.is_v4());  // [::] also accepts clients over IPv4
    };
    return a.address() == b.address() || stands_for(a.address(), b.address()) || stands_for(b.address(), a.address());
}

Expected<ListenTarget> resolve_listen_target(std::string_view text) {
    constexpr std::string_view kTlsPrefix = "tls://";
    const bool forces_tls = text.starts_with(kTlsPrefix);
    const auto address = parse_address(forces_tls ? text.substr(kTlsPrefix.size()) : text);
    if (!address) return std::unexpected(address.error());
    const auto endpoint = resolve(*address, text);
    if (!endpoint) return std::unexpected(endpoint.error());
    return ListenTarget{.endpoint = *endpoint, .forces_tls = forces_tls};
}

Expected<asio::local::stream_protocol::endpoint> unix_endpoint(const std::string& path) {
    // A NUL byte in front would select Linux's abstract namespace, which has no file permissions.
    if (path.find('\0') != std::string::npos) {
        return fail(ErrorCode::invalid_argument, "invalid socket path " + quoted(path) + ": contains a NUL byte");
    }
    if (path.empty() || path.size() > kMaximumPathBytes) {
        return fail(ErrorCode::invalid_argument, "invalid socket path " + quoted(path) + ": " +
                                                     std::to_string(path.size()) + " bytes; expected 1 to " +
                                                     std::to_string(kMaximumPathBytes));
    }
    return asio::local::stream_protocol::endpoint{path};
}

}  // namespace rta::net
