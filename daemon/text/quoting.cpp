// SPDX-License-Identifier: MIT
#include "text/quoting.h"

#include "text/utf8.h"

namespace rta {

namespace {

constexpr std::size_t kLongestQuote = 80;  // bytes

void append_escaped(std::string& out, std::string_view bytes) {
    for (const char c : bytes) out.append("\\x").append(hexadecimal(static_cast<unsigned char>(c), 2));
}

bool is_shown(const Utf8Character& character) { return character.valid && !is_control(character.code_point); }

}  // namespace

bool is_control(char32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

std::string hexadecimal(std::uint32_t value, std::size_t digits) {
    std::string text(digits, '0');
    for (std::size_t i = digits; i-- > 0; value >>= 4U) text[i] = "0123456789abcdef"[value & 0xFU];
    return text;
}

std::string Quoted::operator()(std::string_view text) const {
    std::string out = "\"";
    std::size_t index = 0;
    while (index < text.size()) {
        const Utf8Character next = first_character(text.substr(index));
        if (index + next.bytes > kLongestQuote) break;
        const std::string_view character = text.substr(index, next.bytes);
        if (!is_shown(next)) {
            append_escaped(out, character);
        } else {
            if (character == "\"" || character == "\\") out += '\\';
            out += character;
        }
        index += next.bytes;
    }
    if (index < text.size()) out += "...";
    return out += '"';
}

std::string printable(std::string_view text, std::string_view kept) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Utf8Character next = first_character(text);
        const std::string_view character = text.substr(0, next.bytes);
        if (is_shown(next) || kept.find(character) != std::string_view::npos) {
            out += character;
        } else {
            append_escaped(out, character);
        }
        text.remove_prefix(next.bytes);
    }
    return out;
}

std::string shell_word(std::string_view text) {
    constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=:,./@%";
    if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) return std::string{text};
    std::string word = "'";
    for (const char c : text) {
        if (c == '\'') {
            word += "'\\''";
        } else {
            word += c;
        }
    }
    return word += '\'';
}

bool is_printable(std::string_view text) {
    while (!text.empty()) {
        const Utf8Character next = first_character(text);
        if (!is_shown(next)) return false;
        text.remove_prefix(next.bytes);
    }
    return true;
}

}  // namespace rta
