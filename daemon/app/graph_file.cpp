// SPDX-License-Identifier: MIT
#include "app/graph_file.h"

#include <algorithm>
#include <filesystem>
#include <new>
#include <system_error>
#include <utility>

#include "app/logging.h"
#include "app/text_file.h"
#include "document/document.h"
#include "document/document_size.h"
#include "graph/document_values.h"

namespace rta::app {
namespace {

[[nodiscard]] Error in_file(Error error, const std::string& path) {
    error.sentence = path + ": " + error.sentence;
    error.edit_index.reset();
    return error;
}

/// Parses a document and builds its processors.
[[nodiscard]] Expected<PreparedTransaction> prepare_text(const Engine& engine, const std::string& text,
                                                         const std::string& path, GraphReport& report) {
    try {
        auto loaded = load_document(text, engine.registry(), engine.config().sample_rate_hz);
        if (!loaded) return std::unexpected(in_file(std::move(loaded.error()), path));
        report.node_count = loaded->document.nodes.size();
        report.connection_count = loaded->document.connections.size();
        for (const std::string& warning : loaded->warnings) report.warnings.push_back(path + ": " + warning);
        if (const std::string comments = comment_warning(loaded->document); !comments.empty())
            report.comment_warning = path + ": " + comments;
        Transaction transaction;
        transaction.edits.emplace_back(ReplaceGraph{std::move(loaded->document)});
        auto prepared = engine.prepare(std::move(transaction));
        if (!prepared) return std::unexpected(in_file(std::move(prepared.error()), path));
        return prepared;
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::resource_exhausted, path + ": not enough memory for this graph");
    }
}

}  // namespace

Expected<GraphReport> load_graph_text(Engine& engine, const std::string& text, const std::string& path) {
    GraphReport report;
    auto prepared = prepare_text(engine, text, path, report);
    if (!prepared) return std::unexpected(prepared.error());
    const auto ticket = engine.commit(*prepared);
    if (ticket) return report;
    Error error = in_file(ticket.error(), path);
    // The engine has room at the start, so the graph itself is too large, and a later start would fail too.
    if (error.code == ErrorCode::resource_exhausted) error.code = ErrorCode::invalid_argument;
    return std::unexpected(std::move(error));
}

Expected<GraphReport> load_graph_file(Engine& engine, const std::string& path) {
    const auto text = read_text_file("the graph", path, kLongestDocument);
    if (!text) return std::unexpected(text.error());
    return load_graph_text(engine, *text, path);
}

Expected<GraphReport> check_graph_text(Engine& engine, const std::string& text, const std::string& path) {
    GraphReport report;
    auto prepared = prepare_text(engine, text, path, report);
    if (!prepared) return std::unexpected(prepared.error());
    if (const auto checked = engine.check(*prepared); !checked) return std::unexpected(in_file(checked.error(), path));
    return report;
}

Expected<void> logged(const Expected<GraphReport>& loaded) {
    if (!loaded) return std::unexpected(loaded.error());
    for (const std::string& warning : loaded->warnings) log(net::LogLevel::warning, warning);
    if (!loaded->comment_warning.empty()) log(net::LogLevel::warning, loaded->comment_warning);
    return {};
}

bool same_file(const std::string& a, const std::string& b) {
    namespace fs = std::filesystem;
    if (a.empty() || b.empty()) return false;
    std::error_code ignored;
    if (fs::equivalent(a, b, ignored)) return true;
    const auto canonical = [](const std::string& path) {
        std::error_code error;
        return fs::weakly_canonical(fs::absolute(path, error), error);
    };
    const fs::path canonical_a = canonical(a);
    return !canonical_a.empty() && canonical_a == canonical(b);
}

std::uint32_t highest_device_channel(const AudioGraph& graph, DeviceRole role) {
    std::uint32_t highest = 0;
    for (const auto& node : graph.nodes()) {
        if (node->description->type->device_role != role) continue;
        const ResolvedSettings& settings = node->description->settings;
        highest = std::max(highest, settings.integer("first_channel") + settings.integer("channels") - 1);
    }
    return highest;
}

}  // namespace rta::app
