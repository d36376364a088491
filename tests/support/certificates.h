// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace rta::test {

/// A certificate and its private key, in PEM.
struct Certificate {
    std::string certificate;
    std::string key;

    /// Writes `NAME.pem` and `NAME.key`, which only the owner may read.
    void write(const std::filesystem::path& folder, const std::string& name) const;
};

struct CertificateRequest {
    std::vector<std::string> names{"localhost", "127.0.0.1"};  ///< host names and IP addresses
    std::string common_name = "test";
    int last_day = 1;  ///< relative to today; the first day is a year earlier
    bool authority = false;
    const Certificate* issuer = nullptr;  ///< nullptr: self-signed
};

/// Throws std::runtime_error if OpenSSL fails.
[[nodiscard]] Certificate make_certificate(const CertificateRequest& request = {});

/// Returns the alternative names of a certificate in PEM: "DNS:localhost, IP Address:127.0.0.1".
[[nodiscard]] std::string alternative_names(const std::string& certificate);
/// Returns the days from now until it expires.
[[nodiscard]] int days_left(const std::string& certificate);

}  // namespace rta::test
