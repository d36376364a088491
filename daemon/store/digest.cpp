// SPDX-License-Identifier: MIT
#include "store/digest.h"

#include <openssl/evp.h>

#include "text/quoting.h"

namespace rta::store {

Expected<std::string> sha256(std::string_view text) {
    std::string hash(kDigestBytes, '\0');
    auto* const bytes = reinterpret_cast<unsigned char*>(hash.data());
    if (EVP_Digest(text.data(), text.size(), bytes, nullptr, EVP_sha256(), nullptr) != 1)
        return fail(ErrorCode::unavailable, "cannot compute a SHA-256");
    return hash;
}

Expected<std::string> sha256_digits(std::string_view text) {
    const auto hash = sha256(text);
    if (!hash) return hash;
    std::string digits;
    for (const char byte : *hash) digits += hexadecimal(static_cast<unsigned char>(byte), 2);
    return digits;
}

}  // namespace rta::store
