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
    if (found == names.end()) return not_found("node " + quoted(node) + ": " + unknown_name("output", port, names));
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

/// Returns the number at the beginning of `text`, and removes it; 0 if none exists.
std::uint32_t take_number(std::string_view& text) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return 0;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

struct Channels {
    std::uint32_t from;
    std::uint32_t to;
};

/// Parses "2:1".
Result<Channels> parse_channels(std::string_view text) {
    std::string_view rest = text;
    const std::uint32_t from = take_number(rest);
    if (from != 0 && rest.starts_with(':')) {
        rest.remove_prefix(1);
        const std::uint32_t to = take_number(rest);
        if (to != 0 && rest.empty()) return Channels{.from = from, .to = to};
    }
    return fail(Exit::usage,
                "--channels " + quoted(text) + ": expected a channel of A and a channel of B, from 1, such as 2:1");
}

/// Returns the request for a node, or for a path if there are two words.
Result<v1::Request> request_of(const Arguments& arguments) {
    v1::Request request;
    v1::GetFrequencyResponse& wanted = *request.mutable_get_frequency_response();
    const auto channels_text = arguments.value("--channels");
    if (arguments.words.size() == 1) {
        if (channels_text) return fail(Exit::usage, "--channels needs two ports: rtactl response A B --channels N:M");
        wanted.set_node(arguments.words[0].substr(0, arguments.words[0].find(':')));
        return request;
    }
    wanted.set_from(arguments.words[0]);
    wanted.set_to(arguments.words[1]);
    if (!channels_text) return request;
    const auto channels = parse_channels(*channels_text);
    if (!channels) return std::unexpected(channels.error());
    wanted.set_from_channel(channels->from);
    wanted.set_to_channel(channels->to);
    return request;
}

/// "mic -> out", with the channels if they were chosen.
std::string title_of(const Arguments& arguments) {
    if (arguments.words.size() == 1) return arguments.words[0];
    std::string title = arguments.words[0] + " -> " + arguments.words[1];
    if (const auto channels = arguments.value("--channels")) title.append(", channels ").append(*channels);
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
    if (std::string note = empty_plot_note(response); !note.empty()) response.add_notes(std::move(note));
    if (file) return write_output(context, std::string{*file}, plot_svg(response, title));
    if (!context.json()) print_plot(context, response);
    return {};
}

constexpr std::array kResponseOptions{
    Option{"--channels", "N:M", "Feed the signal into channel N of A, and show channel M of B; default: 1:1."},
    Option{"--svg", "FILE", "Draw into FILE instead (- for the standard output), with the phase of every output.",
           Expects::file}};

}  // namespace

extern constinit const Command kResponse = checked({
    .position = 290,
    .name = "response",
    .arguments = {Argument{"A", Expects::output}, Argument{"B", Expects::input, 0}},
    .help = "Plot the current frequency response of node A, or of the whole path from A to B.",
    .details =
        "Of a node, or one of its outputs (A:PORT): magnitude, and phase if there is one output. Types without a\n"
        "frequency response, such as sources and compressors, are refused.\n"
        "\n"
        "Of a path: magnitude, phase and group delay, with all nodes, gains of connections, latencies and\n"
        "compensating delays from A to B; parallel branches are added. A is an output; from an input, such as\n"
        "eq:in, the path includes the node. B without a port is every output of the node, or what a device\n"
        "output plays. Nodes that are not linear are listed, with what they count as: a compressor counts as\n"
        "its make-up gain. A long delay is removed from the phase, but not from the group delay. With --json,\n"
        "prints the values.",
    .example = "rtactl response vol\n"
               "rtactl response vol:out --svg vol.svg\n"
               "rtactl response osc out\n"
               "rtactl response vol:in out --channels 2:2",
    .options = kResponseOptions,
    .run = run_response,
});

}  // namespace rta::rtactl::commands
