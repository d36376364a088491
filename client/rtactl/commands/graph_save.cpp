// SPDX-License-Identifier: MIT
#include <filesystem>
#include <ostream>
#include <system_error>

#include "document/document.h"
#include "document/document_size.h"
#include "rtactl/context/document_file.h"
#include "rtactl/context/output_file.h"
#include "rtactl/drawing/wording.h"
#include "rtactl/terminal/file.h"

namespace rta::rtactl::commands {

namespace {

std::string size_text(std::string_view document) {
    const auto graph = read_document(document);
    if (!graph) return counted(document.size(), "byte");
    return counted(graph->nodes.size(), "node") + ", " + counted(graph->connections.size(), "connection");
}

/// Warns if the file to be replaced is a document with comments: what rtad writes has none.
void warn_of_comments(Context& context, const std::string& path) {
    std::error_code ignored;
    if (path == kStandardStream || !std::filesystem::is_regular_file(path, ignored)) return;
    const auto text = read_file(path, kLongestDocument);
    if (!text) return;
    if (const auto replaced = read_document(*text); replaced && replaced->comment_count != 0)
        context.print_warning(path, comment_warning(*replaced));
}

Result<void> run_graph_save(Context& context, const Arguments& arguments) {
    const std::string& path = arguments.words[0];
    if (auto checked = check_output(path); !checked) return checked;
    v1::Request request = get_graph_request(document_or_json(context));
    request.mutable_get_graph()->set_with_origin(true);
    const auto response = context.query(std::move(request));
    if (!response) return std::unexpected(response.error());
    const v1::GraphResult& result = response->get_graph();
    warn_of_comments(context, path);
    if (auto written = write_output(context, path, result.document()); !written) return written;
    if (!context.json() && path != kStandardStream)
        context.out() << path << ": " << size_text(result.document()) << ", revision " << result.revision() << '\n';
    return {};
}

}  // namespace

extern constinit const Command kGraphSave = checked({
    .position = 420,
    .name = "graph save",
    .arguments = {Argument{"FILE", Expects::file}},
    .help = "Write the graph to a file (- for the standard output).",
    .details =
        "Replaces the file atomically: readers see either the old or the new document. The document has the revision\n"
        "of the graph, so that `rtactl graph load` can tell whether the graph has changed since.",
    .example = "rtactl graph save chain.json",
    .run = run_graph_save,
});

}  // namespace rta::rtactl::commands
