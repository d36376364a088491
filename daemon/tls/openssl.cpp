// SPDX-License-Identifier: MIT
#include "tls/openssl.h"

#include <openssl/err.h>

#include <array>
#include <system_error>

namespace rta::tls {

std::string openssl_reason() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    if (ERR_SYSTEM_ERROR(code)) return std::generic_category().message(ERR_GET_REASON(code));
    const char* const reason = ERR_reason_error_string(code);
    return reason == nullptr ? "unknown reason" : reason;
}

std::string fingerprint_of(const X509& certificate) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (X509_digest(&certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
    std::array<unsigned char, 4 * ((EVP_MAX_MD_SIZE + 2) / 3) + 1> text{};
    const int length = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(size));
    std::string base64{text.begin(), text.begin() + length};
    base64.erase(base64.find_last_not_of('=') + 1);
    return "SHA256:" + base64;
}

}  // namespace rta::tls
