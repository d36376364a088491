// SPDX-License-Identifier: MIT
#include "app/graph_file.h"

#include <algorithm>
#include <filesystem>
#include <new>
#include <system_error>
#include <utility>

#include "app/limits.h"
#include "app/logging.h"
#include "app/text_file.h"
#include "document/document.h"
#include "document/document_size.h"
#include "graph/document_values.h"
#include "plan/latency.h"

namespace rta::app {
namespace {

[[nodiscard]] Error in_file(Error error, const std::string& path) {
    error.sentence = path + ": " + error.sentence;
    error.edit_index.reset();
    return error;
}

/// Parses a document and builds its processors.
[[nodiscard]] Expected<PreparedTransaction> prepare_text(const Engine& engine, const std::string& text,
                                                         const std::string& path, GraphReport& report,
                                                         LimitsOf limits = LimitsOf::engine) {
    try {
        auto loaded = load_document(text, engine.registry(), engine.config().sample_rate_hz);
        if (!loaded) return std::unexpected(in_file(std::move(loaded.error()), path));
        report.node_count = loaded->document.nodes.size();
        report.connection_count = loaded->document.connections.size();
        for (const std::string& warning : loaded->warnings) report.warnings.push_back(path + ": " + warning);
        if (const std::string comments = comment_warning(loaded->document); !comments.empty())
            report.comment_warning = path + ": " + comments;
        Transaction transaction;
        transaction.exempt = limits == LimitsOf::operator_graph;
        transaction.edits.emplace_back(ReplaceGraph{std::move(loaded->document)});
        auto prepared = engine.prepare(std::move(transaction));
        if (!prepared) return std::unexpected(in_file(std::move(prepared.error()), path));
        return prepared;
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::resource_exhausted, path + ": not enough memory for this graph");
    }
}

}  // namespace

Expected<GraphReport> load_graph_text(Engine& engine, const std::string& text, const std::string& path,
                                      LimitsOf limits) {
    GraphReport report;
    auto prepared = prepare_text(engine, text, path, report, limits);
    if (!prepared) return std::unexpected(prepared.error());
    const auto ticket = engine.commit(*prepared);
    if (ticket) return report;
    Error error = in_file(ticket.error(), path);
    // The engine has room at the start, so the graph itself is too large, and a later start would fail too.
    if (error.code == ErrorCode::resource_exhausted) error.code = ErrorCode::invalid_argument;
    return std::unexpected(std::move(error));
}

Expected<GraphReport> load_graph_file(Engine& engine, const std::string& path, LimitsOf limits) {
    const auto text = read_text_file("the graph", path, kLongestDocument);
    if (!text) return std::unexpected(text.error());
    return load_graph_text(engine, *text, path, limits);
}

std::vector<std::string> exceeded_limits(const Engine& engine) {
    const GraphLimits& limits = engine.config().limits;
    const GraphSize size = engine.graph().size();
    std::vector<std::string> sentences;
    const auto compare = [&](std::uint64_t value, std::uint64_t limit, LimitUnit unit, const std::string& what,
                             const std::string& key) {
        if (value <= limit) return;
        sentences.push_back("the graph has " + std::to_string(value) + " " + what + ", more than --" + key + " " +
                            limit_text(unit, limit) + ": clients can edit it, but not enlarge it");
    };
    compare(size.nodes, limits.nodes, LimitUnit::count, "nodes", "max-nodes");
    compare(size.connections, limits.connections, LimitUnit::count, "connections", "max-connections");
    if (limits.memory_bytes != 0)
        compare(size.memory_bytes, limits.memory_bytes, LimitUnit::bytes, "bytes of nodes", "max-graph-memory");
    compare(size.document_bytes, limits.document_bytes, LimitUnit::bytes, "bytes in its document", "max-document-size");
    const auto latencies = engine.own_latencies();
    compare(compensating_samples(engine.graph(), *latencies) * sizeof(float), limits.delay_bytes, LimitUnit::bytes,
            "bytes of compensating delays", "max-delay-memory");
    return sentences;
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
