// SPDX-License-Identifier: MIT
#include "app/config_file.h"

#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "text/format_number.h"
#include "text/quoting.h"

namespace rta::app {
namespace {

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
    const auto line = static_cast<std::uint32_t>(position.line);
    const std::string_view value = value_in_line(text, line);
    const char first = value.empty() ? '"' : value.front();
    if ((first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || first == '/' || first == '.') {
        sentence += "; text must be in quotes: key = \"text\"";
    }
    return fail(ErrorCode::invalid_argument,
                "line " + std::to_string(line) + ", column " + std::to_string(position.column) + ": " + sentence);
}

std::optional<std::string> text_of(const toml::node& node) {
    if (const auto* const text = node.as_string()) return text->get();
    if (const auto* const number = node.as_integer()) return std::to_string(number->get());
    if (const auto* const number = node.as_floating_point()) return format_number(number->get());
    return std::nullopt;
}

Expected<void> append_value(ConfigEntry& entry, const toml::node& node) {
    auto text = text_of(node);
    const auto line = static_cast<std::uint32_t>(node.source().begin.line);
    if (!text) return refuse(line, "invalid value of " + quoted(entry.key) + ": expected text in quotes or a number");
    if (text->find('\0') != std::string::npos) {
        return refuse(line, "invalid text of " + quoted(entry.key) + ": contains a NUL byte");
    }
    entry.has_number = entry.has_number || !node.is_string();
    entry.values.push_back(std::move(*text));
    return {};
}

Expected<ConfigEntry> read_entry(const toml::key& key, const toml::node& node) {
    ConfigEntry entry{.key = std::string{key.str()},
                      .values = {},
                      .has_number = false,
                      .line = static_cast<std::uint32_t>(key.source().begin.line)};
    const auto* const array = node.as_array();
    if (node.is_table() || (array != nullptr && array->is_array_of_tables())) {
        return refuse(entry.line, "unexpected table " + quoted(entry.key) +
                                      ": a configuration has no tables, only keys such as sample-rate = 48000");
    }
    if (array == nullptr) {
        if (auto appended = append_value(entry, node); !appended) return std::unexpected(std::move(appended.error()));
        return entry;
    }
    for (const toml::node& value : *array) {
        if (auto appended = append_value(entry, value); !appended) return std::unexpected(std::move(appended.error()));
    }
    return entry;
}

}  // namespace

Expected<std::vector<ConfigEntry>> read_config(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) {
        return fail(ErrorCode::invalid_argument, "invalid text: contains a NUL byte");
    }
    try {
        std::vector<ConfigEntry> entries;
        for (const auto& [key, node] : toml::parse(text)) {
            auto entry = read_entry(key, node);
            if (!entry) return std::unexpected(std::move(entry.error()));
            entries.push_back(std::move(*entry));
        }
        std::ranges::sort(entries, {}, &ConfigEntry::line);  // a TOML table is sorted by its keys
        return entries;
    } catch (const toml::parse_error& error) {
        return syntax_error(error, text);
    }
}

}  // namespace rta::app
