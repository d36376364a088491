// SPDX-License-Identifier: MIT
#include "rtactl/language/lexer.h"

#include <algorithm>

#include "text/quoting.h"
#include "text/utf8.h"

namespace rta::rtactl {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// Control characters are refused: the input is probably not text.
bool is_control(char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7F; }

std::string at_column(std::size_t index) { return "column " + std::to_string(index + 1) + ": "; }

}  // namespace

std::expected<QuotedValue, std::string> read_quoted(std::string_view text) {
    const char quote = text.front();
    QuotedValue read{.value = {}, .length = 1};
    while (read.length < text.size()) {
        const char c = text[read.length];
        if (c == quote) {
            ++read.length;
            return read;
        }
        const bool escape = quote == '"' && c == '\\' && read.length + 1 < text.size() &&
                            (text[read.length + 1] == '"' || text[read.length + 1] == '\\');
        if (escape) ++read.length;
        read.value += text[read.length];
        ++read.length;
    }
    return std::unexpected(std::string{"missing closing "} + quote);
}

std::expected<std::vector<std::string>, std::string> split_words(std::string_view line) {
    if (const auto* control = std::ranges::find_if(line, is_control); control != line.end()) {
        return std::unexpected(at_column(static_cast<std::size_t>(control - line.begin())) +
                               "unexpected control character");
    }
    if (const std::size_t invalid = first_invalid_utf8(line); invalid != line.size()) {
        return std::unexpected(at_column(invalid) + "invalid UTF-8");
    }
    std::vector<std::string> words;
    std::size_t index = 0;
    for (;;) {
        while (index < line.size() && is_blank(line[index])) ++index;
        if (index == line.size() || line[index] == '#') return words;
        std::string& word = words.emplace_back();
        while (index < line.size() && !is_blank(line[index])) {
            if (line[index] == '\'' || line[index] == '"') {
                const auto read = read_quoted(line.substr(index));
                if (!read) return std::unexpected(at_column(index) + read.error());
                word += read->value;
                index += read->length;
                continue;
            }
            if (line[index] == '\\') {
                if (++index == line.size())
                    return std::unexpected(at_column(index - 1) + "expected a character after the backslash");
            }
            word += line[index];
            ++index;
        }
    }
}

TypedWords split_typed(std::string_view line) {
    TypedWords typed;
    std::size_t index = 0;
    for (;;) {
        while (index < line.size() && is_blank(line[index])) ++index;
        typed.last_begins = index;
        typed.in_comment = index < line.size() && line[index] == '#';
        if (typed.in_comment) return typed;
        std::string& word = typed.words.emplace_back();
        while (index < line.size() && !is_blank(line[index])) {
            if (line[index] == '\'' || line[index] == '"') {
                const auto read = read_quoted(line.substr(index));
                word += read ? std::string_view{read->value} : line.substr(index + 1);
                index = read ? index + read->length : line.size();
                continue;
            }
            if (line[index] == '\\' && index + 1 < line.size()) ++index;
            word += line[index];
            ++index;
        }
        if (index == line.size()) return typed;
    }
}

std::string escaped(std::string_view text) {
    std::string word;
    for (const char c : text) {
        const bool begins_comment = c == '#' && word.empty();
        if (begins_comment || std::string_view{" \t'\"\\"}.find(c) != std::string_view::npos) word += '\\';
        word += c;
    }
    return word;
}

}  // namespace rta::rtactl
