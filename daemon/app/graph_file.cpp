// SPDX-License-Identifier: MIT
#include "app/graph_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
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
    char part[16 * 1024];
    std::size_t got = 0;
    do {
        got = std::fread(part, 1, sizeof part, file.get());
        text.append(part, got);
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
