// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>

#include "rtactl/context/context.h"
#include "rtactl/context/output_file.h"
#include "rtactl/drawing/picture.h"
#include "rtactl/drawing/plot.h"
#include "text/quoting.h"
#include "text/suggestion.h"

namespace rta::rtactl::commands {

namespace {

/// Removes all outputs but one.
Result<void> keep_output(v1::FrequencyResponseResult& response, std::string_view node, std::string_view port) {
    std::vector<std::string_view> names;
    for (const v1::PortResponse& output : response.outputs()) names.emplace_back(output.port());
    const auto found = std::ranges::find(names, port);
    if (found == names.end())
        return fail(Exit::refused, "node " + quoted(node) + ": " + unknown_name("output", port, names));
    v1::PortResponse kept = response.outputs(static_cast<int>(found - names.begin()));
    response.clear_outputs();
    *response.add_outputs() = std::move(kept);
    return {};
}

/// Returns whether there are two or more frequencies in ascending order, with a finite value of each curve at each.
bool can_be_drawn(const v1::FrequencyResponseResult& response) {
    const auto finite = [](float value) { return std::isfinite(value); };
    const auto& frequencies_hz = response.frequencies_hz();
    const int count = frequencies_hz.size();
    return count >= 2 && std::ranges::all_of(frequencies_hz, finite) && std::ranges::is_sorted(frequencies_hz) &&
           frequencies_hz[0] > 0.0F && frequencies_hz[0] < frequencies_hz[count - 1] &&
           std::ranges::all_of(
               response.outputs(),
               [&](const v1::PortResponse& output) {
                   return output.magnitude_db_size() == count && output.phase_deg_size() == count &&
                          std::ranges::all_of(output.magnitude_db(), finite) &&
                          std::ranges::all_of(output.phase_deg(), finite);
               });
}

Result<void> run_response(Context& context, const Arguments& arguments) {
    const std::string_view word = arguments.words[0];
    const std::size_t colon = word.find(':');
    const std::string node{word.substr(0, colon)};
    const auto file = arguments.value("--svg");
    if (file) {
        if (auto checked = check_output(*file); !checked) return checked;
    }
    v1::Request request;
    request.mutable_get_frequency_response()->set_node(node);
    auto answer = context.query(std::move(request));
    if (!answer) return std::unexpected(std::move(answer.error()));
    v1::FrequencyResponseResult& response = *answer->mutable_get_frequency_response();
    if (!can_be_drawn(response))
        return fail(Exit::refused, "node " + quoted(node) + ": the daemon sent an invalid frequency response");
    if (colon != std::string_view::npos) {
        if (auto kept = keep_output(response, node, word.substr(colon + 1)); !kept) return kept;
    }
    if (file) return write_output(context, std::string{*file}, plot_svg(response, word));
    if (context.json()) return {};
    for (const std::string& line : plot_text(response, terminal_columns(context.streams().terminal)))
        context.out() << line << '\n';
    return {};
}

constexpr std::array kResponseOptions{
    Option{"--svg", "FILE", "Draw into FILE instead (- for the standard output), with the phase of every output.",
           Expects::file}};

}  // namespace

extern constinit const Command kResponse = checked({
    .position = 290,
    .name = "response",
    .arguments = {Argument{"NODE[:PORT]", Expects::output}},
    .help = "Plot the current frequency response of a filter: magnitude, and phase if there is one output.",
    .details =
        "Types without a frequency response, such as sources and compressors, are refused. With --json, prints the values.",
    .example = "rtactl response vol\n"
               "rtactl response vol:out --svg vol.svg",
    .options = kResponseOptions,
    .run = run_response,
});

}  // namespace rta::rtactl::commands
