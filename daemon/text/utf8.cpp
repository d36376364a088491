// SPDX-License-Identifier: MIT
#include "text/utf8.h"

// Not utf8.h: its checked functions throw.
#include <utf8/unchecked.h>

#include <algorithm>
#include <iterator>

namespace rta {

namespace {

constexpr std::size_t kLongestCharacter = 4;  // bytes

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

/// Length by the first byte alone; 0 for a byte that does not begin a character.
std::size_t announced_length(char first) {
    const auto byte = static_cast<unsigned char>(first);
    if (byte < 0x80) return 1;
    if (byte < 0xC2 || byte > 0xF4) return 0;
    return byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

}  // namespace

Utf8Character first_character(std::string_view text) {
    if (is_ascii(text.front())) return {.code_point = static_cast<char32_t>(text.front()), .bytes = 1, .valid = true};
    const std::string_view head = text.substr(0, std::min(announced_length(text.front()), text.size()));
    if (head.empty() || first_invalid_utf8(head) != head.size()) return {.code_point = 0, .bytes = 1, .valid = false};
    const char* next = head.data();
    const char32_t code_point = utf8::unchecked::next(next);
    return {.code_point = code_point, .bytes = head.size(), .valid = true};
}

std::size_t first_invalid_utf8(std::string_view text) {
    return static_cast<std::size_t>(utf8::find_invalid(text.begin(), text.end()) - text.begin());
}

std::size_t character_count(std::string_view text) {
    std::size_t count = 0;
    for (; !text.empty(); ++count) text.remove_prefix(first_character(text).bytes);
    return count;
}

std::size_t incomplete_bytes_at_end(std::string_view text) {
    for (std::size_t bytes = 1; bytes <= std::min(text.size(), kLongestCharacter - 1); ++bytes) {
        const std::size_t length = announced_length(text[text.size() - bytes]);
        if (length != 0) return length > bytes ? bytes : 0;
    }
    return 0;
}

bool append_utf8(std::string& text, char32_t code_point) {
    const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    if (surrogate || code_point > 0x10FFFF) return false;
    utf8::unchecked::append(code_point, std::back_inserter(text));
    return true;
}

}  // namespace rta
