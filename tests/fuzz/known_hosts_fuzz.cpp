// SPDX-License-Identifier: MIT
// For all inputs: the text is refused with the number of a line, or each of its hosts is read again from the line that
// rtactl would write for it, and a line that is added changes no other.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "rta/known_hosts.h"

namespace {

void require(bool condition, const char* promise) {
    if (condition) return;
    std::fprintf(stderr, "broken: %s\n", promise);
    std::abort();
}

std::string line_of(const rta::client::KnownHost& host) { return host.host + " " + host.fingerprint + "\n"; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace rta::client;
    std::string text(data, data + size);
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    const auto hosts = parse_known_hosts(text);
    if (!hosts) {
        require(hosts.error().starts_with("line "), "an error names the line");
        require(hosts.error().size() < 1'000, "an error is short");
        return 0;
    }
    std::size_t last = 0;
    for (const KnownHost& host : *hosts) {
        require(host.line > last && host.line <= lines, "lines are numbered in order");
        last = host.line;
        require(is_fingerprint(host.fingerprint), "a host has a fingerprint");
        const auto endpoint = parse_tcp_endpoint(host.host);
        require(endpoint && known_host_name(*endpoint) == host.host, "a host is the name of an endpoint");
        const auto again = parse_known_hosts(line_of(host));
        require(
            again && again->size() == 1 && (*again)[0].host == host.host && (*again)[0].fingerprint == host.fingerprint,
            "a host is read as it is written");
    }
    if (!text.empty() && text.back() != '\n') text += '\n';
    const KnownHost added{.host = "studio:7340", .fingerprint = "SHA256:" + std::string(43, 'A')};
    const auto more = parse_known_hosts(text + line_of(added));
    require(more && more->size() == hosts->size() + 1 && more->back().host == added.host, "a line can be added");
    return 0;
}
