// SPDX-License-Identifier: MIT
#include "net/web/web_names.h"

#include <algorithm>
#include <asio/ip/address_v6.hpp>
#include <charconv>
#include <optional>

#include "net/web/http_request.h"
#include "text/quoting.h"

namespace rta::net {
namespace {

constexpr std::size_t kLongestName = 253;

struct NameAndPort {
    std::string_view name;  ///< an IPv6 address with its brackets
    std::string_view port;  ///< empty: none
};

std::optional<NameAndPort> split(std::string_view text) {
    const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
    if (bracket == std::string_view::npos) return std::nullopt;
    const std::size_t colon = text.find(':', bracket);
    if (colon == std::string_view::npos) return NameAndPort{.name = text, .port = {}};
    const std::string_view port = text.substr(colon + 1);
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (error != std::errc{} || end != port.data() + port.size() || number == 0) return std::nullopt;
    return NameAndPort{.name = text.substr(0, colon), .port = port};
}

bool is_host(std::string_view name) {
    if (name.starts_with('[')) {
        asio::error_code error;
        static_cast<void>(asio::ip::make_address_v6(std::string{name.substr(1, name.size() - 2)}, error));
        return name.ends_with(']') && !error;
    }
    return !name.empty() && name.size() <= kLongestName && std::ranges::all_of(name, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
               c == '_';
    });
}

}  // namespace

Expected<void> check_web_name(std::string_view text) {
    const auto parts = split(text);
    if (parts && is_host(parts->name)) return {};
    return fail(ErrorCode::invalid_argument, "invalid web name " + quoted(text) +
                                                 ": expected NAME or NAME:PORT, such as studio.lan or studio.lan:443");
}

std::string host_of_web_name(std::string_view name) {
    std::string_view host = split(name).value_or(NameAndPort{.name = name, .port = {}}).name;
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    return std::string{host};
}

WebNames::WebNames(std::span<const std::string> hosts, std::span<const std::string> further, std::uint16_t port,
                   bool tls)
    : port_{port}, tls_{tls} {
    for (const std::string& host : hosts) authorities_.push_back(authority_of(host));
    for (const std::string& name : further) {
        const auto parts = split(name);
        authorities_.push_back(parts && parts->port.empty() ? lower_case(name) + ":" + std::to_string(port)
                                                            : lower_case(name));
    }
}

std::string WebNames::authority_of(std::string_view host) const {
    const std::string name = lower_case(host);
    return (name.contains(':') ? "[" + name + "]" : name) + ":" + std::to_string(port_);
}

/// Browsers leave out the default port of the scheme.
std::string WebNames::with_port(std::string_view authority) const {
    const bool has_port =
        authority.find(':', authority.starts_with('[') ? authority.find(']') : 0) != std::string_view::npos;
    return lower_case(authority) + (has_port ? "" : tls_ ? ":443" : ":80");
}

bool WebNames::has_host(std::string_view host, std::string_view local) const {
    const std::string asked = with_port(host);
    return std::ranges::find(authorities_, asked) != authorities_.end() ||
           (!local.empty() && asked == authority_of(local));
}

bool WebNames::has_origin(std::string_view origin, std::string_view local) const {
    return origin.starts_with(scheme()) && has_host(origin.substr(scheme().size()), local);
}

}  // namespace rta::net
