// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rta::app {

/// Returns the addresses of the page, the one first that works best on other machines: `web_names`, which the operator has
/// chosen; then the IP addresses of `hosts`, IPv4 first; then their names, which a phone often cannot resolve.
///
/// `served` is the address that the server has returned, such as "https://studio:8443/". If it is a loopback address, it is
/// the only one. `hosts` are the names and IP addresses of the machine, IPv6 without brackets.
[[nodiscard]] std::vector<std::string> web_urls(const std::string& served, std::span<const std::string> hosts,
                                                std::span<const std::string> web_names);

}  // namespace rta::app
