// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <ostream>

#include "rtactl/context/context.h"
#include "rtactl/context/output_file.h"
#include "rtactl/drawing/picture.h"
#include "rtactl/drawing/plot.h"
#include "rtactl/language/command.h"
#include "text/names.h"

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

/// Whether there is a value of each curve at each of several frequencies, from low to high.
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

}  // namespace

Result<void> run_response(Session& session, const Arguments& arguments) {
    const std::string_view word = arguments.words[0];
    const std::size_t colon = word.find(':');
    const std::string node{word.substr(0, colon)};
    const auto file = arguments.value("--svg");
    if (file) {
        if (auto good = check_output(*file); !good) return good;
    }
    v1::Request request;
    request.mutable_get_frequency_response()->set_node(node);
    auto answer = session.perform(std::move(request));
    if (!answer) return std::unexpected(std::move(answer.error()));
    v1::FrequencyResponseResult& response = *answer->mutable_get_frequency_response();
    if (!can_be_drawn(response))
        return fail(Exit::refused,
                    "node " + quoted(node) + ": the daemon's answer makes no sense: it is no frequency response");
    if (colon != std::string_view::npos) {
        if (auto kept = keep_output(response, node, word.substr(colon + 1)); !kept) return kept;
    }
    if (file) return write_output(session, std::string{*file}, plot_svg(response, word));
    if (!session.json()) {
        for (const std::string& line : plot_text(response, terminal_columns(session.streams().terminal)))
            session.out() << line << '\n';
    }
    return {};
}

}  // namespace rta::rtactl
