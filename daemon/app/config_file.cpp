// SPDX-License-Identifier: MIT
#include "app/config_file.h"

#include <string>
#include <utility>

#include "text/quoting.h"

namespace rta::app {
namespace {

std::unexpected<Error> refuse(std::uint32_t line, const std::string& sentence) {
    return fail(ErrorCode::invalid_argument, "line " + std::to_string(line) + ": " + sentence);
}

}  // namespace

Expected<std::vector<TomlEntry>> read_config(std::string_view text) {
    auto read = read_toml(text);
    if (!read) return std::unexpected(std::move(read.error()));
    if (!read->tables.empty()) {
        const TomlTable& table = read->tables.front();
        return refuse(table.line, "unexpected table " + quoted(table.name) +
                                      ": a configuration has no tables, only keys such as sample-rate = 48000");
    }
    for (const TomlEntry& entry : read->entries) {
        if (!entry.has_boolean) continue;
        return refuse(entry.line, "invalid value of " + quoted(entry.key) + ": expected text in quotes or a number");
    }
    return std::move(read->entries);
}

}  // namespace rta::app
