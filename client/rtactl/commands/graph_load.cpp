// SPDX-License-Identifier: MIT
#include "rtactl/context/document_file.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_graph_load(Context& context, const Arguments& arguments) {
    auto document = read_document_file(context, arguments.words[0]);
    if (!document) return std::unexpected(std::move(document.error()));
    v1::Request request;
    request.mutable_apply_transaction()->set_document(std::move(document->text));
    auto response = context.change(std::move(request));
    if (!response) return in_document(*document, std::move(response.error()));
    context.print_warnings(document->name, response->apply_transaction().warnings());
    context.print_done(response->apply_transaction(), "loaded " + document->name);
    return {};
}

}  // namespace

extern constinit const Command kGraphLoad = checked({
    .position = 430,
    .name = "graph load",
    .arguments = {Argument{"FILE", Expects::file}},
    .help = "Replace the graph with the document in a file (- for the standard input).",
    .details =
        "Nodes with the same name, type and settings continue without interruption. Parameters that the document\n"
        "omits are set to their defaults.",
    .example = "rtactl graph load chain.json",
    .run = run_graph_load,
});

}  // namespace rta::rtactl::commands
