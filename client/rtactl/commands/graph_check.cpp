// SPDX-License-Identifier: MIT
#include <ostream>

#include "rtactl/context/document_file.h"
#include "rtactl/drawing/wording.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_graph_check(Context& context, const Arguments& arguments) {
    auto document = read_document_file(context, arguments.words[0]);
    if (!document) return std::unexpected(std::move(document.error()));
    v1::Request request;
    request.mutable_check_graph()->set_document(std::move(document->text));
    auto response = context.query(std::move(request));
    if (!response) return in_document(*document, std::move(response.error()));
    const v1::CheckResult& result = response->check_graph();
    context.print_warnings(document->name, result.warnings());
    if (!context.json()) {
        context.out() << document->name << ": valid, " << counted(result.node_count(), "node") << ", "
                      << counted(result.connection_count(), "connection") << '\n';
    }
    return {};
}

}  // namespace

extern constinit const Command kGraphCheck = checked({
    .position = 440,
    .name = "graph check",
    .arguments = {Argument{"FILE", Expects::file}},
    .help = "Validate the document in a file (- for the standard input) without changing the graph.",
    .example = "rtactl graph check chain.json",
    .run = run_graph_check,
});

}  // namespace rta::rtactl::commands
