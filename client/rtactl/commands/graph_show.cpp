// SPDX-License-Identifier: MIT
#include <array>
#include <ostream>

#include "rtactl/context/document_file.h"
#include "rtactl/context/output_file.h"
#include "rtactl/drawing/dot.h"
#include "rtactl/drawing/graphviz.h"
#include "rtactl/terminal/printable_stream.h"

namespace rta::rtactl::commands {

namespace {

/// Between `begin` and `commit`, the graph has the edits so far.
Result<v1::GraphResult> fetch(Context& context, v1::GraphContent content) {
    if (!context.transaction()) {
        auto response = context.query(get_graph_request(content));
        if (!response) return std::unexpected(std::move(response.error()));
        return std::move(*response->mutable_get_graph());
    }
    auto pending = context.fetch_pending_graph();
    if (!pending || !context.json()) return pending;
    v1::Response response;
    response.mutable_status()->set_code(v1::OK);
    *response.mutable_get_graph() = *pending;
    context.print_json(response);
    return pending;
}

Result<void> draw_graph(Context& context, const std::string& path) {
    if (auto checked = check_output(path); !checked) return checked;
    if (auto fetched = context.fetch_types(); !fetched) return fetched;
    const auto result = fetch(context, v1::GRAPH_CONTENT_MESSAGE);
    if (!result) return std::unexpected(result.error());
    auto svg = draw_svg(to_dot(result->graph(), context.types()));
    if (!svg) return fail(Exit::refused, std::move(svg.error()));
    return write_output(context, path, *svg);
}

Result<void> run_graph_show(Context& context, const Arguments& arguments) {
    if (const auto path = arguments.value("--svg")) return draw_graph(context, std::string{*path});
    const auto result = fetch(context, document_or_json(context));
    if (!result) return std::unexpected(result.error());
    if (!context.json()) context.out() << printable_document(result->document());
    return {};
}

constexpr std::array kGraphShowOptions{
    Option{"--svg", "FILE", "Draw the graph as SVG into FILE (- for the standard output).", Expects::file}};

}  // namespace

extern constinit const Command kGraphShow = checked({
    .position = 400,
    .name = "graph show",
    .help = "Print the graph as a document.",
    .details =
        "With --svg FILE, draws the graph instead. This requires Graphviz. Between begin and commit, shows the graph\n"
        "with the edits so far, which the daemon has not checked yet.",
    .example = "rtactl graph show\n"
               "rtactl graph show --svg chain.svg",
    .options = kGraphShowOptions,
    .in_transaction = InTransaction::shows,
    .run = run_graph_show,
});

}  // namespace rta::rtactl::commands
