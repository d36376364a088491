// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/access.h"
#include "text/access_token.h"

namespace rta::api::test {

/// The text of a token that FakeAccess knows: letters of its name, in the form of a token.
[[nodiscard]] inline std::string secret_of(const std::string& name) {
    return std::string{kTokenPrefix} + name + std::string(kTokenDigits - name.size(), '0');
}

/// Tokens in memory, with a time of day that the test sets.
class FakeAccess final : public Access {
 public:
    void add(const std::string& name, Role role, std::optional<std::int64_t> expires_s = {}) {
        tokens.push_back({.name = name, .role = role, .created_s = now, .expires_s = expires_s});
    }

    [[nodiscard]] bool has_tokens() const override { return !tokens.empty(); }
    [[nodiscard]] std::optional<TokenInfo> find_secret(std::string_view secret) const override {
        return find([&](const TokenInfo& token) { return secret_of(token.name) == secret; });
    }
    [[nodiscard]] std::optional<TokenInfo> find_name(std::string_view name) const override {
        return find([&](const TokenInfo& token) { return token.name == name; });
    }
    [[nodiscard]] std::vector<TokenInfo> list() const override { return tokens; }
    [[nodiscard]] std::int64_t now_s() const override { return now; }
    void create(const NewToken& token, Workers&, const std::function<void(Expected<Created>)>& done) override {
        if (disk_is_full) return done(fail(ErrorCode::unavailable, "the disk is full"));
        add(token.name, token.role, token.lifetime_s ? std::optional{now + *token.lifetime_s} : std::nullopt);
        authors.push_back(token.author);
        done(Created{tokens.back(), secret_of(token.name)});
    }
    void revoke(const std::string& name, const std::string& author, Workers&,
                const std::function<void(Expected<void>)>& done) override {
        if (disk_is_full) return done(fail(ErrorCode::unavailable, "the disk is full"));
        authors.push_back(author);
        const bool known = std::erase_if(tokens, [&](const TokenInfo& token) { return token.name == name; }) > 0;
        done(known ? Expected<void>{} : fail(ErrorCode::not_found, "unknown token"));
    }

    std::vector<TokenInfo> tokens;
    std::vector<std::string> authors;  ///< of the changes
    std::int64_t now = 1'000'000;
    bool disk_is_full = false;

 private:
    template <class Predicate>
    [[nodiscard]] std::optional<TokenInfo> find(const Predicate& matches) const {
        for (const TokenInfo& token : tokens) {
            if (matches(token)) return token;
        }
        return std::nullopt;
    }
};

}  // namespace rta::api::test
