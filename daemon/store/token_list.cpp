// SPDX-License-Identifier: MIT
#include "store/token_list.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "text/access_token.h"
#include "text/quoting.h"

namespace rta::store {
namespace {

constexpr std::string_view kFirstLine = "rtad tokens 1";
constexpr std::string_view kLastLine = "end";
constexpr std::string_view kNever = "never";
/// 43 characters of base64url: kTokenDigits.
constexpr std::size_t kSecretBytes = 32;
constexpr std::string_view kHexDigits = "0123456789abcdef";

std::string hexadecimal_bytes(std::span<const unsigned char> bytes) {
    std::string text;
    for (const unsigned char byte : bytes) {
        text += kHexDigits[byte >> 4U];
        text += kHexDigits[byte & 0xFU];
    }
    return text;
}

bool read_bytes(std::string_view text, std::span<unsigned char> bytes) {
    if (text.size() != 2 * bytes.size()) return false;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const std::size_t high = kHexDigits.find(text[2 * i]);
        const std::size_t low = kHexDigits.find(text[2 * i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos) return false;
        bytes[i] = static_cast<unsigned char>(high << 4U | low);
    }
    return true;
}

/// Reads a whole number as std::to_string() writes it.
std::optional<std::int64_t> read_time(std::string_view text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    if (value < 0 || std::to_string(value) != text) return std::nullopt;
    return value;
}

/// Splits off the text before the separator, or all of it.
std::string_view take_until(std::string_view& text, char separator) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

std::unexpected<Error> bad_line(std::size_t number, std::string_view why) {
    return fail(ErrorCode::invalid_argument, "line " + std::to_string(number) + ": " + std::string{why});
}

}  // namespace

Expected<TokenList> TokenList::read(std::string_view text) {
    if (text.size() > kLongestBytes) return bad_line(1, "the text is longer than 64 KiB");
    if (!text.ends_with('\n'))
        return bad_line(1 + static_cast<std::size_t>(std::ranges::count(text, '\n')), "incomplete");
    if (take_until(text, '\n') != kFirstLine) return bad_line(1, "expected " + quoted(kFirstLine));
    TokenList list;
    for (std::size_t number = 2; !text.empty(); ++number) {
        const std::string_view line = take_until(text, '\n');
        if (line == kLastLine) {
            if (!text.empty()) return bad_line(number + 1, "text after " + quoted(kLastLine));
            return list;
        }
        auto token = read_line(line);
        if (!token) return bad_line(number, token.error().sentence);
        if (list.find_name(token->info.name) != nullptr) return bad_line(number, "a second token of that name");
        if (list.tokens_.size() == kMaximumTokens)
            return bad_line(number, "more than " + std::to_string(kMaximumTokens) + " tokens");
        list.tokens_.push_back(std::move(*token));
    }
    return bad_line(list.tokens_.size() + 2, "expected " + quoted(kLastLine) + " after the last token");
}

Expected<TokenList::Token> TokenList::read_line(std::string_view line) {
    if (std::ranges::count(line, ' ') != 5)
        return fail(ErrorCode::invalid_argument, "expected NAME ROLE CREATED EXPIRES SALT HASH");
    Token token;
    token.info.name = take_until(line, ' ');
    const auto role = token_role(take_until(line, ' '));
    const auto created = read_time(take_until(line, ' '));
    const std::string_view expires = take_until(line, ' ');
    if (expires != kNever) token.info.expires_s = read_time(expires);
    const std::string_view salt = take_until(line, ' ');
    const auto invalid = [](const char* what) {
        return fail(ErrorCode::invalid_argument, std::string{"invalid "} + what);
    };
    if (!is_token_name(token.info.name)) return invalid("name");
    if (!role) return invalid("role: expected read, control or admin");
    if (!created) return invalid("time of creation: expected seconds since 1970");
    if (expires != kNever && !token.info.expires_s)
        return invalid("time of expiry: expected seconds since 1970, or never");
    if (!read_bytes(salt, token.secret.salt)) return invalid("salt: expected 32 hexadecimal digits");
    if (!read_bytes(line, token.secret.hash)) return invalid("hash: expected 64 hexadecimal digits");
    token.info.role = *role;
    token.info.created_s = *created;
    return token;
}

std::string TokenList::write() const {
    std::string text{kFirstLine};
    text += '\n';
    for (const Token& token : tokens_) {
        text.append(token.info.name).append(" ").append(role_name(token.info.role)).append(" ");
        text += std::to_string(token.info.created_s) + " ";
        text += token.info.expires_s ? std::to_string(*token.info.expires_s) : std::string{kNever};
        text += " " + hexadecimal_bytes(token.secret.salt) + " " + hexadecimal_bytes(token.secret.hash) + "\n";
    }
    return text.append(kLastLine) + "\n";
}

Expected<std::string> TokenList::add(TokenInfo info) {
    if (!is_token_name(info.name)) {
        return fail(ErrorCode::invalid_argument, "invalid token name " + quoted(info.name) + ": expected " +
                                                     std::string{kTokenNameForm} + "; " + quoted(kLoopbackAuthor) +
                                                     " is reserved");
    }
    if (token_role(role_name(info.role)) != info.role)
        return fail(ErrorCode::invalid_argument, "a token needs a role: expected read, control or admin");
    if (find_name(info.name) != nullptr) {
        return fail(ErrorCode::already_exists,
                    "a token " + quoted(info.name) + " exists already: revoke it, or choose another name");
    }
    if (tokens_.size() == kMaximumTokens) {
        return fail(ErrorCode::resource_exhausted,
                    "there are " + std::to_string(kMaximumTokens) + " tokens, the maximum: revoke one first");
    }
    const auto random = tls::random_text(kSecretBytes);
    if (!random) return fail(ErrorCode::internal, "OpenSSL cannot make random numbers");
    std::string secret = std::string{kTokenPrefix} + *random;
    const auto hash = tls::SecretHash::of(secret);
    if (!hash) return fail(ErrorCode::internal, "OpenSSL cannot compute SHA-256");
    tokens_.push_back({.info = std::move(info), .secret = *hash});
    return secret;
}

Expected<void> TokenList::remove(std::string_view name) {
    if (std::erase_if(tokens_, [&](const Token& token) { return token.info.name == name; }) > 0) return {};
    return fail(ErrorCode::not_found, "unknown token " + quoted(name) + "; `token list` lists the tokens");
}

/// Compares with every token, whether or not an earlier one matched, and each hash as a whole: the time must not show
/// how much of a hash is right.
const TokenInfo* TokenList::find_secret(std::string_view secret) const {
    const TokenInfo* found = nullptr;
    for (const Token& token : tokens_) {
        if (token.secret.matches(secret)) found = &token.info;
    }
    return found;
}

const TokenInfo* TokenList::find_name(std::string_view name) const {
    const auto found = std::ranges::find_if(tokens_, [&](const Token& token) { return token.info.name == name; });
    return found == tokens_.end() ? nullptr : &found->info;
}

std::vector<TokenInfo> TokenList::infos() const {
    std::vector<TokenInfo> infos;
    infos.reserve(tokens_.size());
    for (const Token& token : tokens_) infos.push_back(token.info);
    return infos;
}

}  // namespace rta::store
