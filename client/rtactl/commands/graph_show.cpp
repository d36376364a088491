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

Result<void> draw_graph(Context& context, const std::string& path) {
    if (auto checked = check_output(path); !checked) return checked;
    if (auto fetched = context.fetch_types(); !fetched) return fetched;
    const auto response = context.query(get_graph_request(v1::GRAPH_CONTENT_MESSAGE));
    if (!response) return std::unexpected(response.error());
    auto svg = draw_svg(to_dot(response->get_graph().graph(), context.types()));
    if (!svg) return fail(Exit::refused, std::move(svg.error()));
    return write_output(context, path, *svg);
}

Result<void> run_graph_show(Context& context, const Arguments& arguments) {
    if (const auto path = arguments.value("--svg")) return draw_graph(context, std::string{*path});
    const auto response = context.query(get_graph_request(document_or_json(context)));
    if (!response) return std::unexpected(response.error());
    if (!context.json()) context.out() << printable_document(response->get_graph().document());
    return {};
}

constexpr std::array kGraphShowOptions{
    Option{"--svg", "FILE", "Draw the graph as SVG into FILE (- for the standard output).", Expects::file}};

}  // namespace

extern constinit const Command kGraphShow = checked({
    .position = 400,
    .name = "graph show",
    .help = "Print the graph as a document.",
    .details = "With --svg FILE, draws the graph instead. This requires Graphviz.",
    .example = "rtactl graph show\n"
               "rtactl graph show --svg chain.svg",
    .options = kGraphShowOptions,
    .run = run_graph_show,
});

}  // namespace rta::rtactl::commands
