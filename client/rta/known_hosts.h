// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "rta/endpoint.h"

namespace rta::client {

// The file of the certificates that a client trusts. Each line is `HOST:PORT SHA256:...`, a comment that begins with #,
// or empty. IPv6 addresses are in brackets. Several lines may name one host: each of their certificates is accepted.

struct KnownHost {
    std::string host;         ///< HOST:PORT in lower case
    std::string fingerprint;  ///< "SHA256:" and 43 characters of base64
    std::size_t line = 0;     ///< in the file, from 1
};

/// Returns whether `text` is "SHA256:" and the 43 characters of base64 that encode 32 bytes.
[[nodiscard]] bool is_fingerprint(std::string_view text);

/// Returns the host of an endpoint as the file has it.
[[nodiscard]] std::string known_host_name(const TcpEndpoint& endpoint);

/// Parses the text of a file. The error names the line.
[[nodiscard]] std::expected<std::vector<KnownHost>, std::string> parse_known_hosts(std::string_view text);

/// Reads the file; a file that does not exist has no hosts. The error names the file and the line.
[[nodiscard]] std::expected<std::vector<KnownHost>, std::string> read_known_hosts(const std::string& file);

/// Adds a line for a host that has none. Replaces the file atomically, with mode 0600, keeps its other lines, and locks
/// its folder, so that no line of another process is lost. Creates the folders of the file, with mode 0700.
[[nodiscard]] std::expected<void, std::string> add_known_host(const std::string& file, const std::string& host,
                                                              const std::string& fingerprint);

}  // namespace rta::client
