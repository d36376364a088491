// SPDX-License-Identifier: MIT
#include "rtactl/terminal/printable_stream.h"

#include <algorithm>
#include <utility>

#include "text/names.h"

namespace rta::rtactl {

namespace {

constexpr std::string_view kKept = "\n\t";

unsigned byte_of(char c) { return static_cast<unsigned char>(c); }

/// Returns the number of bytes of an incomplete character at the end.
std::size_t incomplete_at_end(std::string_view text) {
    for (std::size_t back = 1; back <= std::min<std::size_t>(text.size(), 3); ++back) {
        const unsigned byte = byte_of(text[text.size() - back]);
        if ((byte & 0xC0U) == 0x80U) continue;
        const std::size_t length = byte >= 0xF0U ? 4 : byte >= 0xE0U ? 3 : byte >= 0xC0U ? 2 : 1;
        return length > back ? back : 0;
    }
    return 0;
}

}  // namespace

std::streambuf::int_type PrintableStream::Buffer::overflow(int_type byte) {
    if (traits_type::eq_int_type(byte, traits_type::eof())) return traits_type::not_eof(byte);
    const char c = traits_type::to_char_type(byte);
    return xsputn(&c, 1) == 1 ? byte : traits_type::eof();
}

std::streamsize PrintableStream::Buffer::xsputn(const char* bytes, std::streamsize count) {
    std::string text = std::exchange(partial_, {});
    text.append(bytes, static_cast<std::size_t>(count));
    const std::size_t whole = text.size() - incomplete_at_end(text);
    partial_ = text.substr(whole);
    return forward(std::string_view{text}.substr(0, whole)) ? count : 0;
}

int PrintableStream::Buffer::sync() {
    const bool written = forward(std::exchange(partial_, {}));
    return written && to_.flush() ? 0 : -1;
}

bool PrintableStream::Buffer::forward(std::string_view bytes) {
    return static_cast<bool>(to_ << printable(bytes, kKept));
}

std::string printable_document(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        // All escaped characters are below U+10000, so at most three bytes long.
        const unsigned lead = byte_of(text[0]);
        const std::size_t length = std::min<std::size_t>(text.size(), lead >= 0xF0U   ? 4
                                                                      : lead >= 0xE0U ? 3
                                                                      : lead >= 0xC0U ? 2
                                                                                      : 1);
        const std::string_view character = text.substr(0, length);
        if (length == 4 || kKept.find(character) != std::string_view::npos || is_printable(character)) {
            out += character;
        } else {
            const unsigned code =
                length == 1   ? lead
                : length == 2 ? (lead & 0x1FU) << 6U | (byte_of(text[1]) & 0x3FU)
                              : (lead & 0x0FU) << 12U | (byte_of(text[1]) & 0x3FU) << 6U | (byte_of(text[2]) & 0x3FU);
            out += "\\u";
            for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[code >> static_cast<unsigned>(shift) & 0xFU];
        }
        text.remove_prefix(length);
    }
    return out;
}

}  // namespace rta::rtactl
