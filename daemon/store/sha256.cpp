// SPDX-License-Identifier: MIT
#include "store/sha256.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "text/quoting.h"

namespace rta::store {

Expected<std::string> sha256(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), hash.data(), &size, EVP_sha256(), nullptr) != 1)
        return fail(ErrorCode::unavailable, "cannot compute a SHA-256");
    std::string digits;
    for (unsigned i = 0; i < size; ++i) digits += hexadecimal(hash[i], 2);
    return digits;
}

std::string_view take_line(std::string_view& text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

}  // namespace rta::store
