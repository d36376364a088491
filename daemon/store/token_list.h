// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "status/access.h"
#include "text/error.h"
#include "tls/secret.h"

namespace rta::store {

/// The access tokens of one daemon, without their secrets: a salted SHA-256 of each. A value. [any]
class TokenList {
 public:
    /// Bounds the time of find_secret().
    static constexpr std::size_t kMaximumTokens = 256;
    /// No text that write() returns is longer.
    static constexpr std::size_t kLongestBytes = std::size_t{64} << 10U;

    /// Reads what write() returns. INVALID_ARGUMENT, with the line, for every other text, such as an incomplete one.
    [[nodiscard]] static Expected<TokenList> read(std::string_view text);
    /// Returns one line for each token, between a first line with the version and a last line that shows the end.
    [[nodiscard]] std::string write() const;

    /// Adds a token and returns its secret, which is not kept. INVALID_ARGUMENT for an invalid name or a role that is
    /// not one of a token; ALREADY_EXISTS; RESOURCE_EXHAUSTED after kMaximumTokens; INTERNAL without random numbers.
    [[nodiscard]] Expected<std::string> add(TokenInfo info);
    /// NOT_FOUND.
    [[nodiscard]] Expected<void> remove(std::string_view name);

    /// Returns the token with this secret, expired or not. The time depends on the number of tokens and on the length
    /// of the text only. The pointer is valid until the list changes.
    [[nodiscard]] const TokenInfo* find_secret(std::string_view secret) const;
    [[nodiscard]] const TokenInfo* find_name(std::string_view name) const;
    /// In the order in which they were created.
    [[nodiscard]] std::vector<TokenInfo> infos() const;
    [[nodiscard]] bool empty() const { return tokens_.empty(); }

 private:
    struct Token {
        TokenInfo info{};
        tls::SecretHash secret{};
    };
    [[nodiscard]] static Expected<Token> read_line(std::string_view line);

    std::vector<Token> tokens_;
};

}  // namespace rta::store
