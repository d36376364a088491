// SPDX-License-Identifier: MIT
#include "app/config_file.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "text/names.h"

namespace rta::app {
namespace {

[[nodiscard]] bool is_bare(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

[[nodiscard]] bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7F;
}

void append_utf8(std::string& text, std::uint32_t code) {
    const auto tail = [&](unsigned shift) { text += static_cast<char>(0x80U | (code >> shift & 0x3FU)); };
    if (code < 0x80) {
        text += static_cast<char>(code);
    } else if (code < 0x800) {
        text += static_cast<char>(0xC0U | code >> 6U);
        tail(0);
    } else if (code < 0x1'0000) {
        text += static_cast<char>(0xE0U | code >> 12U);
        tail(6);
        tail(0);
    } else {
        text += static_cast<char>(0xF0U | code >> 18U);
        tail(12);
        tail(6);
        tail(0);
    }
}

/// Walks through the text once. A function that returns false has said why in error_.
class Reader {
 public:
    explicit Reader(std::string_view text) : rest_{text} {
        if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
    }

    [[nodiscard]] Expected<std::vector<ConfigEntry>> read() {
        while (skip_lines() && !rest_.empty()) {
            if (!read_entry()) break;
        }
        if (!error_.empty()) return fail(ErrorCode::invalid_argument, error_);
        return std::move(entries_);
    }

 private:
    [[nodiscard]] bool refuse(const std::string& sentence) {
        error_ = "line " + std::to_string(line_) + ": " + sentence;
        return false;
    }
    [[nodiscard]] char next() const { return rest_.empty() ? '\0' : rest_.front(); }
    [[nodiscard]] bool take(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void skip_spaces() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }

    /// To the end of the line: nothing but a comment may stand there.
    [[nodiscard]] bool end_line() {
        skip_spaces();
        if (next() == '#') {
            const std::string_view comment = rest_.substr(0, rest_.find('\n'));
            rest_.remove_prefix(comment.size());
            if (std::ranges::any_of(comment, [](char c) { return is_control(c) && c != '\r'; })) {
                return refuse("a control character in a comment");
            }
        }
        if (rest_.starts_with("\r\n")) rest_.remove_prefix(1);
        if (rest_.empty()) return true;
        if (!take('\n')) {
            return refuse("nothing may follow a value but a comment; text stands in quotes: key = \"text\"");
        }
        ++line_;
        return true;
    }
    /// To the next thing that says something.
    [[nodiscard]] bool skip_lines() {
        while (true) {
            skip_spaces();
            if (next() != '#' && next() != '\n' && !rest_.starts_with("\r\n")) return true;
            if (!end_line()) return false;
        }
    }

    [[nodiscard]] bool read_entry() {
        if (next() == '[') {
            return refuse("there are no sections here: write the keys, such as sample-rate = 48000, without one");
        }
        ConfigEntry entry{.key = {}, .values = {}, .number = false, .line = line_};
        number_ = false;
        if (!read_key(entry.key)) return false;
        skip_spaces();
        if (next() == '.')
            return refuse("key " + quoted(entry.key) + " goes on with a dot: there are no sections here");
        if (!take('=')) return refuse("key " + quoted(entry.key) + " wants a value behind an equals sign");
        skip_spaces();
        if (!(next() == '[' ? read_array(entry.values) : read_value(entry.values.emplace_back()))) return false;
        const auto same = std::ranges::find(entries_, entry.key, &ConfigEntry::key);
        if (same != entries_.end()) {
            line_ = entry.line;
            return refuse("key " + quoted(entry.key) + " is there twice; see line " + std::to_string(same->line));
        }
        entry.number = number_;
        entries_.push_back(std::move(entry));
        return end_line();
    }

    [[nodiscard]] bool read_key(std::string& key) {
        if (next() == '"' || next() == '\'') return read_text(key);
        const auto length = static_cast<std::size_t>(std::ranges::find_if_not(rest_, is_bare) - rest_.begin());
        if (length == 0) return refuse("a key is made of letters, digits and dashes");
        key = rest_.substr(0, length);
        rest_.remove_prefix(length);
        return true;
    }

    [[nodiscard]] bool read_array(std::vector<std::string>& values) {
        const std::uint32_t begin = line_;
        rest_.remove_prefix(1);
        while (true) {
            if (!skip_lines()) return false;
            if (take(']')) return true;
            if (rest_.empty()) {
                line_ = begin;
                return refuse("the array that begins here has no end: ] is missing");
            }
            if (!read_value(values.emplace_back()) || !skip_lines()) return false;
            if (!take(',') && !rest_.empty() && next() != ']')
                return refuse("between the values of an array stands a comma");
        }
    }

    [[nodiscard]] bool read_value(std::string& value) {
        const char first = next();
        if (first == '"' || first == '\'') return read_text(value);
        const bool number = (first >= '0' && first <= '9') || first == '+' || first == '-';
        const auto length = static_cast<std::size_t>(
            std::ranges::find_if_not(rest_, [](char c) { return is_bare(c) || c == '+' || c == '.'; }) - rest_.begin());
        if (!number || length == 0) {
            const std::string word{rest_.substr(0, std::min(rest_.find_first_of(" \t\r\n#"), rest_.size()))};
            return refuse(word.empty() ? "a value is missing"
                                       : quoted(word) + " is no value: numbers stand as they are, text in quotes");
        }
        number_ = true;
        value = rest_.substr(0, length);
        rest_.remove_prefix(length);
        // 48_000 is a number of TOML.
        std::erase(value, '_');
        return true;
    }

    [[nodiscard]] bool read_text(std::string& text) {
        const char quote = next();
        if (rest_.starts_with(std::string(3, quote))) return refuse("text over several lines is not understood here");
        rest_.remove_prefix(1);
        while (!take(quote)) {
            if (rest_.empty() || next() == '\n' || rest_.starts_with("\r\n")) {
                return refuse(std::string{"text without an end: "} + quote + " is missing");
            }
            if (is_control(next())) return refuse("a control character in a text");
            if (quote == '"' && next() == '\\') {
                if (!read_escape(text)) return false;
                continue;
            }
            text += next();
            rest_.remove_prefix(1);
        }
        return true;
    }

    [[nodiscard]] bool read_escape(std::string& text) {
        constexpr std::string_view kNames = "btnfr\"\\";
        constexpr std::string_view kMeanings = "\b\t\n\f\r\"\\";
        rest_.remove_prefix(1);
        const char name = next();
        if (const auto index = kNames.find(name); !rest_.empty() && index != std::string_view::npos) {
            text += kMeanings[index];
            rest_.remove_prefix(1);
            return true;
        }
        const std::size_t digits = name == 'u' ? 4 : name == 'U' ? 8 : 0;
        std::uint32_t code = 0;
        const std::string_view number = rest_.substr(std::min<std::size_t>(1, rest_.size()), digits);
        const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), code, 16);
        const bool whole = number.size() == digits && end == number.data() + number.size() && error == std::errc{};
        const bool character = code != 0 && code < 0x11'0000 && (code < 0xD800 || code > 0xDFFF);
        if (digits == 0 || !whole || !character) {
            return refuse(quoted(std::string{'\\', name}) +
                          " means nothing in a text; a backslash itself is written \\\\");
        }
        append_utf8(text, code);
        rest_.remove_prefix(1 + digits);
        return true;
    }

    std::string_view rest_;
    std::uint32_t line_ = 1;
    bool number_ = false;  ///< among the values of the entry that is being read
    std::string error_;
    std::vector<ConfigEntry> entries_;
};

}  // namespace

Expected<std::vector<ConfigEntry>> read_config(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) return fail(ErrorCode::invalid_argument, "it is no text");
    return Reader{text}.read();
}

}  // namespace rta::app
