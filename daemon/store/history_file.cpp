// SPDX-License-Identifier: MIT
#include "store/history_file.h"

#include <utility>

#include "store/digest.h"
#include "store/take_line.h"

namespace rta::store {
namespace {

constexpr std::string_view kHeader = "rtad history 2 ";
/// Its steps name nodes, but do not identify them.
constexpr std::string_view kOldHeader = "rtad history 1 ";

}  // namespace

Expected<std::string> write_history_file(std::string_view history, std::string_view graph) {
    auto of_graph = sha256_digits(graph);
    if (!of_graph) return of_graph;
    std::string rest = std::move(*of_graph) + "\n";
    rest += history;
    auto of_rest = sha256_digits(rest);
    if (!of_rest) return of_rest;
    std::string file{kHeader};
    file.append(*of_rest).append("\n").append(rest);
    return file;
}

Expected<std::optional<std::string>> read_history_file(std::string_view file, std::string_view graph) {
    const std::string_view header = take_line(file);
    if (header.starts_with(kOldHeader)) {
        return fail(
            ErrorCode::invalid_argument,
            "an earlier version of rtad has written it, whose steps do not identify the nodes that they change");
    }
    if (!header.starts_with(kHeader))
        return fail(ErrorCode::invalid_argument, "unknown format: expected \"" + std::string{kHeader} + "\"");
    const auto of_rest = sha256_digits(file);
    if (!of_rest) return std::unexpected(of_rest.error());
    if (header.substr(kHeader.size()) != *of_rest) return fail(ErrorCode::invalid_argument, "the checksum is wrong");
    const auto of_graph = sha256_digits(graph);
    if (!of_graph) return std::unexpected(of_graph.error());
    if (take_line(file) != *of_graph) return std::nullopt;
    return std::string{file};
}

}  // namespace rta::store
