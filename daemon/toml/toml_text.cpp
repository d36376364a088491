// SPDX-License-Identifier: MIT
#include "toml/toml_text.h"

#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <utility>

#include "text/format_number.h"
#include "text/quoting.h"

namespace rta {
namespace {

constexpr int kMostLevels = 8;
/// toml++ calls itself for each part of a key such as a.b.c. Tens of thousands of parts would overflow the stack.
constexpr std::ptrdiff_t kMostDots = 10'000;

std::uint32_t line_of(const toml::source_region& source) { return static_cast<std::uint32_t>(source.begin.line); }

std::unexpected<Error> refuse(std::uint32_t line, const std::string& sentence) {
    return fail(ErrorCode::invalid_argument, "line " + std::to_string(line) + ": " + sentence);
}

/// Returns the text after the equals sign of a line, empty if it has none.
std::string_view value_in_line(std::string_view text, std::uint32_t line) {
    for (std::uint32_t skipped = 1; skipped < line; ++skipped) {
        text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    }
    text = text.substr(0, text.find_first_of("\r\n#"));
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return {};
    const auto begin = text.find_first_not_of(" \t", equals + 1);
    return begin == std::string_view::npos ? std::string_view{} : text.substr(begin);
}

/// "line 3, column 10: invalid value: ...". The most common mistake, text without quotes, gets a hint.
std::unexpected<Error> syntax_error(const toml::parse_error& error, std::string_view text) {
    constexpr std::string_view kPrefix = "Error while parsing ";
    std::string_view description = error.description();
    std::string sentence;
    if (description.starts_with(kPrefix)) {
        description.remove_prefix(kPrefix.size());
        sentence = "invalid ";
    }
    sentence += printable(description);
    const toml::source_position position = error.source().begin;
    const std::uint32_t line = line_of(error.source());
    const std::string_view value = value_in_line(text, line);
    const char first = value.empty() ? '"' : value.front();
    if ((first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || first == '/' || first == '.') {
        sentence += "; text must be in quotes: key = \"text\"";
    }
    return fail(ErrorCode::invalid_argument,
                "line " + std::to_string(line) + ", column " + std::to_string(position.column) + ": " + sentence);
}

Expected<void> append_value(TomlEntry& entry, const toml::node& node) {
    std::string text;
    if (const auto* const string = node.as_string()) {
        text = string->get();
    } else if (const auto* const integer = node.as_integer()) {
        text = std::to_string(integer->get());
        entry.has_number = true;
    } else if (const auto* const number = node.as_floating_point()) {
        text = format_number(number->get());
        entry.has_number = true;
    } else if (const auto* const boolean = node.as_boolean()) {
        text = boolean->get() ? "true" : "false";
        entry.has_boolean = true;
    } else {
        return refuse(line_of(node.source()),
                      "invalid value of " + quoted(entry.key) + ": expected text in quotes or a number");
    }
    if (text.find('\0') != std::string::npos) {
        return refuse(line_of(node.source()), "invalid text of " + quoted(entry.key) + ": contains a NUL byte");
    }
    entry.values.push_back(std::move(text));
    return {};
}

Expected<TomlEntry> read_entry(const toml::key& key, const toml::node& node) {
    TomlEntry entry;
    entry.key = key.str();
    entry.line = line_of(key.source());
    const auto* const array = node.as_array();
    entry.is_array = array != nullptr;
    if (array == nullptr) {
        if (auto appended = append_value(entry, node); !appended) return std::unexpected(std::move(appended.error()));
        return entry;
    }
    if (array->is_array_of_tables()) {
        return refuse(entry.line, "unexpected table " + quoted(entry.key) +
                                      ": lists of tables are not supported, only tables such as [name]");
    }
    for (const toml::node& value : *array) {
        if (auto appended = append_value(entry, value); !appended) return std::unexpected(std::move(appended.error()));
    }
    return entry;
}

/// A TOML table is sorted by its keys.
void sort_by_line(TomlTable& table) {
    std::ranges::stable_sort(table.entries, {}, &TomlEntry::line);
    std::ranges::stable_sort(table.tables, {}, &TomlTable::line);
}

Expected<TomlTable> read_table(const toml::table& source, std::string_view name, std::uint32_t line, int levels) {
    TomlTable table{.name = std::string{name}, .line = line, .entries = {}, .tables = {}};
    for (const auto& [key, node] : source) {
        const toml::table* const inner = node.as_table();
        if (inner == nullptr) {
            auto entry = read_entry(key, node);
            if (!entry) return std::unexpected(std::move(entry.error()));
            table.entries.push_back(std::move(*entry));
            continue;
        }
        const std::uint32_t inner_line = line_of(key.source());
        if (levels == kMostLevels) {
            return refuse(inner_line, "table " + quoted(key.str()) + " is in too many tables: expected at most " +
                                          std::to_string(kMostLevels) + " levels");
        }
        auto read = read_table(*inner, key.str(), inner_line, levels + 1);
        if (!read) return std::unexpected(std::move(read.error()));
        table.tables.push_back(std::move(*read));
    }
    sort_by_line(table);
    return table;
}

}  // namespace

Expected<TomlTable> read_toml(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) {
        return fail(ErrorCode::invalid_argument, "invalid text: contains a NUL byte");
    }
    if (std::ranges::count(text, '.') > kMostDots) {
        return fail(ErrorCode::invalid_argument,
                    "invalid text: contains more than " + std::to_string(kMostDots) + " dots");
    }
    try {
        return read_table(toml::parse(text), {}, 1, 0);
    } catch (const toml::parse_error& error) {
        return syntax_error(error, text);
    }
}

}  // namespace rta
