// SPDX-License-Identifier: MIT
#include "tls/secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <cassert>
#include <cstdint>
#include <span>

namespace rta::tls {
namespace {

constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

bool make_random(std::span<unsigned char> bytes) {
    return RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1;
}

/// SHA-256 of the salt followed by the secret.
bool compute_hash(std::span<const unsigned char> salt, std::string_view secret, std::span<unsigned char, 32> hash) {
    std::string salted{salt.begin(), salt.end()};
    salted += secret;
    const bool computed = EVP_Digest(salted.data(), salted.size(), hash.data(), nullptr, EVP_sha256(), nullptr) == 1;
    OPENSSL_cleanse(salted.data(), salted.size());
    return computed;
}

std::string base64url(std::span<const unsigned char> bytes) {
    std::string text;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const unsigned char byte : bytes) {
        bits = (bits << 8U) | byte;
        for (count += 8; count >= 6; count -= 6) text += kBase64Url[(bits >> (count - 6)) & 0x3FU];
    }
    if (count > 0) text += kBase64Url[(bits << (6 - count)) & 0x3FU];
    return text;
}

}  // namespace

std::optional<std::string> random_text(std::size_t bytes) {
    std::array<unsigned char, 32> random{};
    assert(bytes <= random.size());
    const auto used = std::span{random}.first(bytes);
    if (!make_random(used)) return std::nullopt;
    std::string text = base64url(used);
    OPENSSL_cleanse(random.data(), random.size());
    return text;
}

std::optional<SecretHash> SecretHash::of(std::string_view secret) {
    SecretHash result;
    if (!make_random(result.salt) || !compute_hash(result.salt, secret, result.hash)) return std::nullopt;
    return result;
}

bool SecretHash::matches(std::string_view secret) const {
    std::array<unsigned char, 32> other{};
    const bool computed = compute_hash(salt, secret, other);
    return CRYPTO_memcmp(other.data(), hash.data(), hash.size()) == 0 && computed;
}

}  // namespace rta::tls
