// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <vector>

#include "text/error.h"

namespace rta::net {

/// Paths of a certificate and its private key, both in PEM.
struct TlsFiles {
    std::string certificate;
    std::string key;

    /// Returns the paths of the files that rtad creates in a state directory.
    [[nodiscard]] static TlsFiles in(const std::string& state_directory);
};

/// Creates a self-signed certificate and its key (EC P-256, valid for 10 years) unless both files exist. `names` are the
/// host names and IP addresses for which it is valid. Creates the folder of the files (mode 0700; its parent must
/// exist). The key has mode 0600. A crash leaves either both files or no certificate. Blocks on the disk.
///
/// Errors: FAILED_PRECONDITION if there is a certificate without a key; UNAVAILABLE for system errors.
[[nodiscard]] Expected<void> create_certificate(const TlsFiles& files, std::span<const std::string> names);

/// Returns the names by which clients reach a daemon that listens at `hosts` (IP addresses without ports): the host
/// name, localhost, the loopback addresses, and the hosts. A wildcard address stands for the addresses of all network
/// interfaces.
[[nodiscard]] std::vector<std::string> certificate_names(std::span<const std::string> hosts);

}  // namespace rta::net
