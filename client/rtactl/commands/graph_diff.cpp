// SPDX-License-Identifier: MIT
#include "rtactl/context/graph_diff.h"
#include "rtactl/context/document_file.h"
#include "rtactl/drawing/edit_text.h"

namespace rta::rtactl::commands {

namespace {

/// Returns the edits that would turn the running graph into the document.
Result<std::vector<v1::Edit>> compare(Context& context, const DocumentFile& document) {
    v1::Request check;
    check.mutable_check_graph()->set_document(document.text);
    check.mutable_check_graph()->set_with_graph(true);
    const auto checked = context.call(std::move(check));
    if (!checked) return in_document(document, checked.error());
    const v1::CheckResult& wanted = checked->check_graph();
    if (!wanted.has_graph()) return fail(Exit::refused, "this rtad cannot compare graphs: expected a newer version");
    context.print_warnings(document.name, wanted.warnings());
    if (auto fetched = context.fetch_types(); !fetched) return std::unexpected(std::move(fetched.error()));
    const auto response = context.call(get_graph_request(v1::GRAPH_CONTENT_MESSAGE));
    if (!response) return std::unexpected(response.error());
    return edits_between(response->get_graph().graph(), wanted.graph(), context.types());
}

Result<void> run_graph_diff(Context& context, const Arguments& arguments) {
    const auto document = read_document_file(context, arguments.words[0]);
    if (!document) return std::unexpected(document.error());
    auto edits = compare(context, *document);
    if (!edits) return std::unexpected(std::move(edits.error()));
    if (context.json()) {
        v1::EditList list;
        for (v1::Edit& edit : *edits) *list.add_edits() = std::move(edit);
        context.print_json(list);
        return {};
    }
    print_transaction(context.out(), document->name, *edits);  // one transaction, like loading the document
    return {};
}

}  // namespace

extern constinit const Command kGraphDiff = checked({
    .position = 450,
    .name = "graph diff",
    .arguments = {Argument{"FILE", Expects::file}},
    .help = "Show the difference between the running graph and a document (- for the standard input).",
    .details =
        "Prints the commands that would turn the graph into the document, one per line, for `rtactl shell`; or a\n"
        "comment if nothing differs. Differences of titles and descriptions are comments, too. With\n"
        "--json, prints an EditList. The exit status is 0 in either case.",
    .example = "rtactl graph diff chain.json",
    .run = run_graph_diff,
});

}  // namespace rta::rtactl::commands
