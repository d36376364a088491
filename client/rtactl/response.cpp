// SPDX-License-Identifier: MIT
#include <algorithm>
#include <ostream>

#include "graph/names.h"
#include "rtactl/command.h"
#include "rtactl/file.h"
#include "rtactl/picture.h"
#include "rtactl/plot.h"
#include "rtactl/session.h"

namespace rta::rtactl {

namespace {

/// Leaves nothing but the output that was asked for.
Result<void> keep_output(v1::FrequencyResponseResult& response, std::string_view node, std::string_view port) {
    std::vector<std::string_view> names;
    for (const v1::PortResponse& output : response.outputs()) names.emplace_back(output.port());
    const auto found = std::ranges::find(names, port);
    if (found == names.end())
        return fail(Exit::refused, "node " + quoted(node) + ": " + no_such("output", port, names));
    v1::PortResponse kept = response.outputs(static_cast<int>(found - names.begin()));
    response.clear_outputs();
    *response.add_outputs() = std::move(kept);
    return {};
}

}  // namespace

Result<void> run_response(Session& session, const Arguments& arguments) {
    const std::string_view word = arguments.words[0];
    const std::size_t colon = word.find(':');
    const std::string node{word.substr(0, colon)};
    v1::Request request;
    request.mutable_get_frequency_response()->set_node(node);
    auto answer = session.perform(std::move(request));
    if (!answer) return std::unexpected(std::move(answer.error()));
    v1::FrequencyResponseResult& response = *answer->mutable_get_frequency_response();
    if (colon != std::string_view::npos) {
        if (auto kept = keep_output(response, node, word.substr(colon + 1)); !kept) return kept;
    }
    if (const auto file = arguments.value("--svg")) {
        if (auto written = replace_file(std::string{*file}, plot_svg(response, word)); !written)
            return usage_error(std::move(written.error()));
    } else if (!session.json()) {
        for (const std::string& line : plot_text(response, terminal_columns(session.streams().terminal)))
            session.out() << line << '\n';
    }
    return {};
}

}  // namespace rta::rtactl
