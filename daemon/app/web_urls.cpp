// SPDX-License-Identifier: MIT
#include "app/web_urls.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace rta::app {
namespace {

enum class Kind : std::uint8_t { ipv4, ipv6, name, local };

/// Link-local addresses need the name of an interface, which no browser accepts.
Kind kind_of(std::string_view host) {
    if (host == "localhost" || host == "::1" || host.starts_with("127.") || host.starts_with("fe80:"))
        return Kind::local;
    if (host.find(':') != std::string_view::npos) return Kind::ipv6;
    const bool digits = host.find_first_not_of("0123456789.") == std::string_view::npos;
    return digits ? Kind::ipv4 : Kind::name;
}

/// The parts of "https://HOST:PORT/".
struct Parts {
    std::string_view scheme;  ///< "https://"
    std::string_view host;    ///< without brackets
    std::string_view port;    ///< ":8443"
};

Parts parts_of(std::string_view url) {
    const std::size_t host = std::min(url.find("://") + 3, url.size());
    std::string_view rest = url.substr(host);
    if (rest.ends_with('/')) rest.remove_suffix(1);
    const std::size_t colon = std::min(rest.rfind(':'), rest.size());
    std::string_view name = rest.substr(0, colon);
    if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
    return {.scheme = url.substr(0, host), .host = name, .port = rest.substr(colon)};
}

/// A name with a port of its own is that of a proxy or of a forwarded port.
bool has_port(std::string_view name) {
    return name.find(':', name.starts_with('[') ? name.find(']') : 0) != std::string_view::npos;
}

}  // namespace

std::vector<std::string> web_urls(const std::string& served, std::span<const std::string> hosts,
                                  std::span<const std::string> web_names) {
    const Parts parts = parts_of(served);
    if (kind_of(parts.host) == Kind::local) return {served};
    std::vector<std::string> urls;
    const auto add = [&](const std::string& authority) {
        std::string url = std::string{parts.scheme} + authority + "/";
        if (std::ranges::find(urls, url) == urls.end()) urls.push_back(std::move(url));
    };
    const std::string port{parts.port};
    for (const std::string& name : web_names) add(has_port(name) ? name : name + port);
    for (const Kind kind : {Kind::ipv4, Kind::ipv6, Kind::name}) {
        for (const std::string& host : hosts) {
            if (kind_of(host) == kind) add((kind == Kind::ipv6 ? "[" + host + "]" : host) + port);
        }
    }
    if (urls.empty()) urls.push_back(served);
    return urls;
}

}  // namespace rta::app
