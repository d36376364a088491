// SPDX-License-Identifier: MIT
#include "text/names.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace rta {

namespace {

constexpr std::size_t kLongestQuote = 80;  // bytes
constexpr std::size_t kLongestList = 24;   // names
constexpr std::size_t kLongestSlip = 64;   // bytes: no name is longer, so nothing longer is compared

std::uint8_t byte_at(std::string_view text, std::size_t index) { return static_cast<std::uint8_t>(text[index]); }

/// Bytes of the UTF-8 character that begins at `index`; 0 if there is none.
std::size_t utf8_length(std::string_view text, std::size_t index) {
    const std::uint8_t lead = byte_at(text, index);
    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (text.size() - index < length) return 0;
    // The second byte alone tells overlong forms, surrogates and what lies beyond U+10FFFF.
    const std::uint8_t lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const std::uint8_t highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    const std::uint8_t second = byte_at(text, index + 1);
    if (second < lowest || second > highest) return 0;
    for (std::size_t i = 2; i < length; ++i) {
        if ((byte_at(text, index + i) & 0xC0) != 0x80) return 0;
    }
    return length;
}

void append_escaped_byte(std::string& out, std::uint8_t byte) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += "\\x";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 0xF];
}

/// What a terminal, or a reader, would take for anything but text: controls (C0, DEL, C1), the two separators, and the
/// marks that turn the direction of writing.
bool is_control(char32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

char32_t decode(std::string_view character) {
    const std::uint8_t lead = byte_at(character, 0);
    if (character.size() == 1) return lead;
    char32_t c = lead & (0xFFU >> (character.size() + 1));
    for (std::size_t i = 1; i < character.size(); ++i) c = c << 6U | (byte_at(character, i) & 0x3FU);
    return c;
}

struct Character {
    std::size_t bytes;  ///< at least one
    bool shown;         ///< else it must be escaped
};

Character character_at(std::string_view text, std::size_t index) {
    const std::size_t length = utf8_length(text, index);
    if (length == 0) return {1, false};
    return {length, !is_control(decode(text.substr(index, length)))};
}

void append_escaped(std::string& out, std::string_view character) {
    for (std::size_t i = 0; i < character.size(); ++i) append_escaped_byte(out, byte_at(character, i));
}

/// Insertions, deletions, replacements and exchanges of neighbours that turn `a` into `b`; `limit + 1` if more than
/// `limit`.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
    if (a.size() > kLongestSlip || b.size() > kLongestSlip) return limit + 1;
    if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > limit) return limit + 1;
    using Row = std::array<std::size_t, kLongestSlip + 1>;
    Row before_last{};
    Row last{};
    Row row{};
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        std::size_t least = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
            least = std::min(least, row[j]);
        }
        if (least > limit) return limit + 1;
        before_last = last;
        last = row;
    }
    return last[b.size()];
}

}  // namespace

std::string Quoted::operator()(std::string_view text) const {
    std::string out = "\"";
    std::size_t index = 0;
    while (index < text.size()) {
        const auto [bytes, shown] = character_at(text, index);
        if (index + bytes > kLongestQuote) break;
        const std::string_view character = text.substr(index, bytes);
        if (!shown) {
            append_escaped(out, character);
        } else {
            if (character == "\"" || character == "\\") out += '\\';
            out += character;
        }
        index += bytes;
    }
    if (index < text.size()) out += "...";
    return out += '"';
}

std::string printable(std::string_view text, std::string_view kept) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t index = 0; index < text.size();) {
        const auto [bytes, shown] = character_at(text, index);
        const std::string_view character = text.substr(index, bytes);
        if (shown || kept.find(character) != std::string_view::npos) {
            out += character;
        } else {
            append_escaped(out, character);
        }
        index += bytes;
    }
    return out;
}

bool is_printable(std::string_view text) {
    for (std::size_t index = 0; index < text.size();) {
        const auto [bytes, shown] = character_at(text, index);
        if (!shown) return false;
        index += bytes;
    }
    return true;
}

std::string_view closest_name(std::string_view name, std::span<const std::string_view> existing) {
    // One slip in a short name, three in a long one: more is another word.
    std::size_t limit = std::clamp<std::size_t>(name.size() / 3, 1, 3);
    std::string_view closest;
    for (const std::string_view candidate : existing) {
        const std::size_t distance = edit_distance(name, candidate, limit);
        // A name of one letter is "close" to every other one of one letter.
        if (distance > limit || distance >= std::max(name.size(), candidate.size())) continue;
        closest = candidate;
        if (distance == 0) break;
        limit = distance - 1;
    }
    return closest;
}

std::string no_such(std::string_view kind, std::string_view name, std::span<const std::string_view> existing) {
    std::string sentence = "there is no ";
    sentence.append(kind).append(" ").append(quoted(name));
    if (existing.empty()) return sentence += "; there are none";
    if (const std::string_view closest = closest_name(name, existing); !closest.empty()) {
        sentence.append(" (did you mean ").append(quoted(closest)).append("?)");
    }
    sentence += "; there are: ";
    const std::size_t shown = std::min(existing.size(), kLongestList);
    for (std::size_t i = 0; i < shown; ++i) {
        if (i != 0) sentence += ", ";
        sentence += existing[i];
    }
    if (shown < existing.size())
        sentence.append(" and ").append(std::to_string(existing.size() - shown)).append(" more");
    return sentence;
}

std::size_t first_invalid_utf8(std::string_view text) {
    std::size_t index = 0;
    while (index < text.size()) {
        const std::size_t length = utf8_length(text, index);
        if (length == 0) return index;
        index += length;
    }
    return index;
}

}  // namespace rta
