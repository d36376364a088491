// SPDX-License-Identifier: MIT
#include "text/display_width.h"

#include <algorithm>
#include <span>

#include "text/display_width_table.h"
#include "text/utf8.h"

namespace rta {

namespace {

bool is_in(std::span<const CodePointRange> ranges, char32_t code_point) {
    const auto found = std::ranges::lower_bound(ranges, code_point, {}, &CodePointRange::last);
    return found != ranges.end() && found->first <= code_point;
}

std::size_t width_of(const Utf8Character& character) {
    if (!character.valid || character.code_point < 0x300) return 1;
    if (is_in(kZeroWidth, character.code_point)) return 0;
    return is_in(kDoubleWidth, character.code_point) ? 2 : 1;
}

}  // namespace

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    while (!text.empty()) {
        const Utf8Character next = first_character(text);
        width += width_of(next);
        text.remove_prefix(next.bytes);
    }
    return width;
}

std::string_view fitting_prefix(std::string_view text, std::size_t columns) {
    std::size_t bytes = 0;
    while (bytes < text.size()) {
        const Utf8Character next = first_character(text.substr(bytes));
        const std::size_t width = width_of(next);
        if (width > columns) break;
        columns -= width;
        bytes += next.bytes;
    }
    return text.substr(0, bytes);
}

std::string with_ellipsis(std::string_view text, std::size_t columns) {
    constexpr std::string_view kEllipsis = "...";
    if (display_width(text) <= columns) return std::string{text};
    return std::string{fitting_prefix(text, columns - kEllipsis.size())}.append(kEllipsis);
}

}  // namespace rta
