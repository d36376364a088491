// SPDX-License-Identifier: MIT
#include "app/graph_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "graph/document.h"

namespace rta::app {
namespace {

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

[[nodiscard]] Expected<std::string> read_file(const std::string& path) {
    const std::unique_ptr<std::FILE, CloseFile> file{std::fopen(path.c_str(), "rbe")};
    const auto unreadable = [&](int error) {
        return fail(error == ENOENT ? ErrorCode::not_found : ErrorCode::unavailable,
                    "cannot read the graph " + path + ": " + std::strerror(error));
    };
    if (!file) return unreadable(errno);
    std::string text;
    // A device such as /dev/zero has no end.
    constexpr std::size_t kLongestBytes = std::size_t{16} << 20U;
    char part[16 * 1024];
    std::size_t got = 0;
    do {
        got = std::fread(part, 1, sizeof part, file.get());
        text.append(part, got);
        if (text.size() > kLongestBytes) {
            return fail(ErrorCode::invalid_argument, "the graph " + path + " has more than 16 MiB");
        }
    } while (got == sizeof part);
    if (std::ferror(file.get()) != 0) return unreadable(errno);
    return text;
}

[[nodiscard]] Error in_file(Error error, const std::string& path) {
    error.sentence = path + ": " + error.sentence;
    error.edit_index.reset();
    return error;
}

}  // namespace

Expected<PreparedTransaction> read_graph_file(const Engine& engine, const std::string& path) {
    const auto text = read_file(path);
    if (!text) return std::unexpected(text.error());
    auto document = read_document(*text);
    if (!document) return std::unexpected(in_file(std::move(document.error()), path));
    Transaction transaction;
    transaction.edits.emplace_back(ReplaceGraph{std::move(*document)});
    auto prepared = engine.prepare(std::move(transaction));
    if (!prepared) return std::unexpected(in_file(std::move(prepared.error()), path));
    return prepared;
}

Expected<void> load_graph_file(Engine& engine, const std::string& path) {
    auto prepared = read_graph_file(engine, path);
    if (!prepared) return std::unexpected(prepared.error());
    const auto ticket = engine.commit(*prepared);
    if (!ticket) return std::unexpected(in_file(ticket.error(), path));
    return {};
}

bool same_file(const std::string& a, const std::string& b) {
    std::error_code none_there;
    return !a.empty() && !b.empty() && std::filesystem::equivalent(a, b, none_there);
}

std::uint32_t highest_output_channel(const AudioGraph& graph) {
    std::uint32_t highest = 0;
    for (const auto& node : graph.nodes()) {
        if (node->description->type->device_role != DeviceRole::sink) continue;
        const ResolvedSettings& settings = node->description->settings;
        highest = std::max(highest, settings.integer("first_channel") + settings.integer("channels") - 1);
    }
    return highest;
}

}  // namespace rta::app
