// SPDX-License-Identifier: MIT
#include "document/json_text.h"

#include <cmath>
#include <variant>

#include "text/format_number.h"
#include "text/quoting.h"
#include "text/utf8.h"

namespace rta::json {

void append_string(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const std::size_t sound = first_invalid_utf8(text);
        for (const char c : text.substr(0, sound)) {
            const auto byte = static_cast<unsigned char>(c);
            if (c == '"' || c == '\\') {
                out.append("\\").push_back(c);
            } else if (c == '\n') {
                out += "\\n";
            } else if (c == '\t') {
                out += "\\t";
            } else if (byte < 0x20) {
                out.append("\\u").append(hexadecimal(byte, 4));
            } else {
                out += c;
            }
        }
        text.remove_prefix(sound);
        if (text.empty()) break;
        // JSON cannot express such a byte. Protobuf and browsers replace it by U+FFFD too.
        out += "\xEF\xBF\xBD";
        text.remove_prefix(1);
    }
    out += '"';
}

namespace {

/// Writes infinity and NaN, which JSON does not have, as strings, as protobuf does.
template <class Number>
void append_number(std::string& out, Number value) {
    if (std::isfinite(value)) {
        out += format_number(value);
    } else {
        append_string(out, format_number(value));
    }
}

}  // namespace

void append_value(std::string& out, const SettingValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) {
        append_string(out, *text);
    } else if (const auto* number = std::get_if<double>(&value)) {
        append_number(out, *number);
    } else {
        out += *std::get_if<bool>(&value) ? "true" : "false";
    }
}

void append_value(std::string& out, float value) { append_number(out, value); }
void append_value(std::string& out, double value) { append_number(out, value); }

}  // namespace rta::json
