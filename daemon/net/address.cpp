// SPDX-License-Identifier: MIT
#include "net/address.h"

#include <charconv>

#include "net/endpoint.h"
#include "text/quoting.h"

namespace rta::net {

Expected<HostAndPort> parse_address(std::string_view text) {
    const auto refuse = [&] {
        return fail(ErrorCode::invalid_argument, "invalid listen address " + quoted(text) +
                                                     ": expected HOST:PORT, such as 127.0.0.1:7340 or [::1]:7340");
    };
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return refuse();
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    // Without brackets "::1:7340" would be ambiguous.
    if (host.empty() || host.find_first_of(bracketed ? "[]" : "[]:") != std::string_view::npos) return refuse();
    HostAndPort address{std::string{host}, 0};
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error != std::errc{} || end != port.data() + port.size()) return refuse();
    return address;
}

Expected<ListenAddress> resolve_listen_address(std::string_view text) {
    const auto target = resolve_listen_target(text);
    if (!target) return std::unexpected(target.error());
    const bool reachable = !target->endpoint.address().is_loopback();
    return ListenAddress{.host = target->endpoint.address().to_string(),
                         .name = to_string(target->endpoint),
                         .reachable = reachable,
                         .tls = reachable || target->forces_tls};
}

Expected<void> check_socket_path(const std::string& path) {
    if (const auto endpoint = unix_endpoint(path); !endpoint) return std::unexpected(endpoint.error());
    return {};
}

}  // namespace rta::net
