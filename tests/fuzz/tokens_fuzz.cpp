// SPDX-License-Identifier: MIT
// For all inputs: the token file is either refused, with the line and a printable reason, or is exactly what is written for
// the tokens that were read. So no damage can remove a token, or add one, without being noticed.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "store/token_list.h"
#include "text/access_token.h"
#include "text/quoting.h"

namespace {

void require(bool condition, std::string_view promise, std::string_view detail) {
    if (condition) return;
    std::fprintf(stderr, "broken: %.*s\n%.*s\n", static_cast<int>(promise.size()), promise.data(),
                 static_cast<int>(detail.size()), detail.data());
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto list = rta::store::TokenList::read(text);
    if (!list) {
        const std::string& sentence = list.error().sentence;
        require(list.error().code == rta::ErrorCode::invalid_argument, "a damaged file is an INVALID_ARGUMENT",
                sentence);
        require(rta::is_printable(sentence) && sentence.size() < 200, "a sentence is short and printable", sentence);
        unsigned line = 0;
        require(std::sscanf(sentence.c_str(), "line %u: ", &line) == 1 && line >= 1, "a sentence names the line",
                sentence);
        return 0;
    }
    require(list->write() == text, "what is read is written in the same way", text);
    require(list->find_secret(text) == nullptr, "a file is not a secret", text);
    for (const rta::TokenInfo& token : list->infos()) {
        require(rta::is_token_name(token.name), "a token has a valid name", token.name);
        require(token.role != rta::Role::none, "a token has a role", token.name);
        require(list->find_name(token.name) != nullptr, "a token is found", token.name);
    }
    return 0;
}
