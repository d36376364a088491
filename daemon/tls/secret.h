// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rta::tls {

/// Returns this number of random bytes, at most 32, as base64url without padding: 4 characters for 3 bytes. nullopt if
/// OpenSSL cannot make random numbers. [any]
[[nodiscard]] std::optional<std::string> random_text(std::size_t bytes);

/// A salted SHA-256 of a secret text, which is compared with others instead of the text. A value. [any]
///
/// The secret must have at least 96 random bits: searching for the secret of a hash is then impossible, and a slow hash
/// such as scrypt, which protects passwords, would only make every comparison slow.
struct SecretHash {
    std::array<unsigned char, 16> salt{};
    std::array<unsigned char, 32> hash{};

    /// nullopt if OpenSSL cannot make random numbers or compute SHA-256.
    [[nodiscard]] static std::optional<SecretHash> of(std::string_view secret);
    /// Returns whether it is the hash of this text. The time depends on the length of the text only.
    [[nodiscard]] bool matches(std::string_view secret) const;
};

}  // namespace rta::tls
