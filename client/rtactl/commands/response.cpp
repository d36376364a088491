// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <ostream>
#include <system_error>

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
                   const int delays = output.group_delay_ms_size();
                   return output.magnitude_db_size() == count && output.phase_deg_size() == count &&
                          (delays == 0 || delays == count) && std::ranges::all_of(output.magnitude_db(), finite) &&
                          std::ranges::all_of(output.phase_deg(), finite) &&
                          std::ranges::all_of(output.group_delay_ms(), finite);
               });
}

/// Passes the value of an option that numbers a channel to `set`.
Result<void> set_channel(const Arguments& arguments, std::string_view option, const auto& set) {
    const auto given = arguments.value(option);
    if (!given) return {};
    std::uint32_t channel = 0;
    const auto [end, error] = std::from_chars(given->data(), given->data() + given->size(), channel);
    if (error != std::errc{} || end != given->data() + given->size() || channel == 0) {
        return fail(Exit::usage,
                    std::string{option} + " " + quoted(*given) + ": expected the number of a channel, from 1");
    }
    set(channel);
    return {};
}

/// Returns the request for a node, or for a path if there are two words.
Result<v1::Request> request_of(const Arguments& arguments) {
    v1::Request request;
    v1::GetFrequencyResponse& wanted = *request.mutable_get_frequency_response();
    if (arguments.words.size() == 1) {
        if (arguments.has("--from-channel") || arguments.has("--to-channel"))
            return fail(Exit::usage, "--from-channel and --to-channel need two ports: rtactl response FROM TO");
        wanted.set_node(arguments.words[0].substr(0, arguments.words[0].find(':')));
        return request;
    }
    wanted.set_from(arguments.words[0]);
    wanted.set_to(arguments.words[1]);
    if (auto set = set_channel(arguments, "--from-channel", [&](auto channel) { wanted.set_from_channel(channel); });
        !set)
        return std::unexpected(std::move(set.error()));
    if (auto set = set_channel(arguments, "--to-channel", [&](auto channel) { wanted.set_to_channel(channel); }); !set)
        return std::unexpected(std::move(set.error()));
    return request;
}

/// "mic -> out", with the channels if they were chosen.
std::string title_of(const Arguments& arguments) {
    std::string title = arguments.words[0];
    if (const auto channel = arguments.value("--from-channel")) title.append(" channel ").append(*channel);
    if (arguments.words.size() == 1) return title;
    title += " -> " + arguments.words[1];
    if (const auto channel = arguments.value("--to-channel")) title.append(" channel ").append(*channel);
    return title;
}

void print_plot(Context& context, const v1::FrequencyResponseResult& response) {
    for (const std::string& line : plot_text(response, terminal_columns(context.streams().terminal)))
        context.out() << line << '\n';
    for (const std::string& note : response.notes()) context.out() << "note: " << printable(note) << '\n';
}

Result<void> run_response(Context& context, const Arguments& arguments) {
    auto request = request_of(arguments);
    if (!request) return std::unexpected(std::move(request.error()));
    const auto file = arguments.value("--svg");
    if (file) {
        if (auto checked = check_output(*file); !checked) return checked;
    }
    auto answer = context.query(std::move(*request));
    if (!answer) return std::unexpected(std::move(answer.error()));
    v1::FrequencyResponseResult& response = *answer->mutable_get_frequency_response();
    const std::string title = title_of(arguments);
    const std::size_t colon = title.find(':');
    const bool is_path = arguments.words.size() == 2;
    if (!can_be_drawn(response)) {
        return fail(Exit::refused, (is_path ? "path " : "node ") + quoted(is_path ? title : title.substr(0, colon)) +
                                       ": the daemon sent an invalid frequency response");
    }
    if (!is_path && colon != std::string::npos) {
        if (auto kept = keep_output(response, title.substr(0, colon), std::string_view{title}.substr(colon + 1)); !kept)
            return kept;
    }
    if (file) return write_output(context, std::string{*file}, plot_svg(response, title));
    if (!context.json()) print_plot(context, response);
    return {};
}

constexpr std::array kResponseOptions{
    Option{"--from-channel", "N", "Feed the signal into channel N of the port FROM; default: 1."},
    Option{"--to-channel", "N", "Show channel N of the port TO; default: 1."},
    Option{"--svg", "FILE", "Draw into FILE instead (- for the standard output), with the phase of every output.",
           Expects::file}};

}  // namespace

extern constinit const Command kResponse = checked({
    .position = 290,
    .name = "response",
    .arguments = {Argument{"FROM[:PORT]", Expects::output}, Argument{"TO[:PORT]", Expects::input, 0}},
    .help = "Plot the current frequency response of a node, or of the whole path from one port to another.",
    .details =
        "Of a node (one argument): magnitude, and phase if there is one output. Types without a frequency response, such\n"
        "as sources and compressors, are refused.\n"
        "\n"
        "Of a path (two arguments): magnitude, phase and group delay, with all nodes, gains of connections, latencies and\n"
        "compensating delays between the ports; parallel branches are added. FROM is an output; an input, such as eq:in,\n"
        "includes the node. TO without a port is every output of the node, or what a device output plays. Nodes that are\n"
        "not linear are listed, with what they count as: a compressor counts as its make-up gain. A long delay is removed\n"
        "from the phase, but not from the group delay. With --json, prints the values.",
    .example = "rtactl response vol\n"
               "rtactl response vol:out --svg vol.svg\n"
               "rtactl response osc out\n"
               "rtactl response vol:in out --to-channel 2",
    .options = kResponseOptions,
    .run = run_response,
});

}  // namespace rta::rtactl::commands
