// SPDX-License-Identifier: MIT
#include "rtactl/terminal/printable_stream.h"

#include <utility>

#include "text/quoting.h"
#include "text/utf8.h"

namespace rta::rtactl {

namespace {

constexpr std::string_view kKept = "\n\t";

}  // namespace

std::streambuf::int_type PrintableStream::Buffer::overflow(int_type byte) {
    if (traits_type::eq_int_type(byte, traits_type::eof())) return traits_type::not_eof(byte);
    const char c = traits_type::to_char_type(byte);
    return xsputn(&c, 1) == 1 ? byte : traits_type::eof();
}

std::streamsize PrintableStream::Buffer::xsputn(const char* bytes, std::streamsize count) {
    std::string text = std::exchange(partial_, {});
    text.append(bytes, static_cast<std::size_t>(count));
    const std::size_t whole = text.size() - incomplete_bytes_at_end(text);
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
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Utf8Character next = first_character(text);
        const std::string_view character = text.substr(0, next.bytes);
        if (!next.valid) {
            out += "\\ufffd";
        } else if (is_control(next.code_point) && kKept.find(character) == std::string_view::npos) {
            out.append("\\u").append(hexadecimal(next.code_point, 4));  // all controls are below U+10000
        } else {
            out += character;
        }
        text.remove_prefix(next.bytes);
    }
    return out;
}

}  // namespace rta::rtactl
