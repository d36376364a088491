// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "rta/edits.h"
#include "rta/type_table.h"
#include "rtactl/context/context.h"
#include "rtactl/context/document_file.h"
#include "rtactl/context/error_report.h"
#include "rtactl/context/insertion.h"
#include "rtactl/drawing/wording.h"
#include "rtactl/language/assignment.h"
#include "rtactl/language/eq_list.h"
#include "text/format_number.h"

namespace rta::rtactl::commands {

namespace {

constexpr const char* kType = "equalizer";

std::unexpected<Failure> invalid(const DocumentFile& file, const std::string& sentence) {
    return fail(Exit::refused, file.name + ": " + sentence, v1::INVALID_ARGUMENT);
}

Result<double> sample_rate_hz(Context& context) {
    v1::Request request;
    request.mutable_get_status();
    const auto response = context.call(std::move(request));
    if (!response) return std::unexpected(response.error());
    return response->get_status().device().sample_rate_hz();
}

/// Returns the sentence that refuses a value out of the range of its parameter; empty if it is in range.
std::string range_error(const v1::ParameterInfo& parameter, std::string_view name, double value) {
    // The limits are floats: a limit as written, such as 0.05, is in range.
    const auto stored = static_cast<float>(value);
    if (stored >= parameter.minimum() && stored <= parameter.maximum()) return "";
    return std::string{name} + " = " + format_number(value) + " is out of range; expected " +
           format_number(parameter.minimum()) + " to " + format_number(parameter.maximum()) +
           (parameter.unit().empty() ? "" : " " + parameter.unit());
}

/// Sets the parameters of one band. The daemon would report the parameter that is out of range, but not its line.
Result<void> set_band(const DocumentFile& file, const v1::NodeType& type, const EqFilter& filter, std::size_t band,
                      v1::Node& node) {
    const std::string number = std::to_string(band);
    const std::array<std::tuple<std::string, std::string_view, double>, 3> values{{
        {"frequency_" + number + "_hz", "Fc", filter.frequency_hz},
        {"q_" + number, "Q", filter.q},
        {"gain_" + number + "_db", "Gain", filter.gain_db},
    }};
    for (const auto& [parameter, name, value] : values) {
        const auto info = find_parameter(type, parameter);
        const std::string error = info ? range_error(*info, name, value) : "";
        if (!error.empty()) return invalid(file, "line " + std::to_string(filter.line) + ": " + error);
        (*node.mutable_parameters())[parameter] = static_cast<float>(value);
    }
    const std::string kind = "kind_" + number;
    const auto setting = find_setting(type, kind);
    if (!setting || setting->default_().string_value() != filter.kind)
        (*node.mutable_settings()->mutable_fields())[kind].set_string_value(std::string{filter.kind});
    return {};
}

Result<v1::Node> equalizer_node(const DocumentFile& file, const v1::NodeType& type, const EqList& list) {
    v1::Node node;
    node.set_type(kType);
    const auto bands = find_setting(type, "bands");
    if (bands && static_cast<double>(list.filters.size()) > bands->maximum()) {
        return invalid(
            file, counted(list.filters.size(), "filter") + "; expected at most " + format_number(bands->maximum()));
    }
    (*node.mutable_settings()->mutable_fields())["bands"].set_number_value(static_cast<double>(list.filters.size()));
    for (std::size_t i = 0; i < list.filters.size(); ++i) {
        if (auto set = set_band(file, type, list.filters[i], i + 1, node); !set)
            return std::unexpected(std::move(set.error()));
    }
    return node;
}

/// Returns the nodes of a list, in the order of the signal: the preamp, if any, and the equalizer, if there are filters.
Result<std::vector<v1::Node>> nodes_of(Context& context, const DocumentFile& file, const EqList& list,
                                       const std::string& name) {
    std::vector<v1::Node> nodes;
    const double preamp_db = list.preamp_db.value_or(0.0);
    if (preamp_db != 0.0 || list.filters.empty()) {
        v1::Node& gain = nodes.emplace_back();
        gain.set_type("gain");
        gain.set_name(list.filters.empty() ? name : name + "_preamp");
        (*gain.mutable_parameters())["gain_db"] = static_cast<float>(preamp_db);
    }
    if (list.filters.empty()) return nodes;
    const v1::NodeType* type = context.find_type(kType);
    if (type == nullptr) return not_found("this daemon has no node type equalizer");
    auto equalizer = equalizer_node(file, *type, list);
    if (!equalizer) return std::unexpected(std::move(equalizer.error()));
    equalizer->set_name(name);
    nodes.push_back(std::move(*equalizer));
    return nodes;
}

Result<void> set_channels(const Context& context, std::string_view text, v1::Node& node) {
    const Assignment assignment{.name = "channels", .value = std::string{text}};
    if (auto assigned = assign(context.find_type(node.type()), {assignment}, node); !assigned)
        return usage_error("--channels: " + assigned.error());
    return {};
}

/// "inserted in -> eq_preamp -> eq -> out (10 filters, preamp -6.2 dB)"
std::string done_text(const std::vector<v1::Node>& nodes, const std::optional<InsertionPoint>& point,
                      const EqList& list) {
    std::string chain = point ? point->from : "";
    for (const v1::Node& node : nodes) chain.append(chain.empty() ? "" : " -> ").append(node.name());
    if (point) chain.append(" -> ").append(point->to);
    chain.append(" (").append(counted(list.filters.size(), "filter"));
    if (list.preamp_db) chain.append(", preamp ").append(format_number(*list.preamp_db)).append(" dB");
    return (point ? "inserted " : "added ") + chain + ")";
}

Result<void> add_list(Context& context, const Arguments& arguments, const DocumentFile& file, const EqList& list) {
    std::optional<InsertionPoint> point;
    if (arguments.words.size() == 4) {
        auto found = find_insertion_point(context, arguments.words[2], arguments.words[3]);
        if (!found) return std::unexpected(std::move(found.error()));
        point = std::move(*found);
    }
    auto nodes = nodes_of(context, file, list, arguments.words[1]);
    if (!nodes) return std::unexpected(std::move(nodes.error()));
    std::vector<v1::Edit> edits;
    for (v1::Node& node : *nodes) {
        if (const auto channels = arguments.value("--channels")) {
            if (auto set = set_channels(context, *channels, node); !set) return set;
        }
        if (point) inherit_channels(context.find_type(node.type()), *point, node);
        *edits.emplace_back().mutable_add_node() = node;
    }
    if (nodes->size() == 2) edits.push_back(connect_edit(nodes->front().name(), nodes->back().name()));
    if (point) {
        for (v1::Edit& edit : insertion_edits(*point, nodes->front().name(), nodes->back().name()))
            edits.push_back(std::move(edit));
    }
    return context.edit(std::move(edits), done_text(*nodes, point, list));
}

Result<void> run_import_eq(Context& context, const Arguments& arguments) {
    if (arguments.words.size() == 3)
        return usage_error("missing argument: expected import eq FILE NAME, or import eq FILE NAME A B");
    const auto file = read_document_file(context, arguments.words[0]);
    if (!file) return std::unexpected(file.error());
    const auto rate_hz = sample_rate_hz(context);
    if (!rate_hz) return std::unexpected(rate_hz.error());
    if (auto fetched = context.fetch_types(); !fetched) return fetched;
    const auto list = parse_eq_list(file->text, *rate_hz);
    if (!list) return invalid(*file, list.error());
    for (const std::string& warning : list->warnings) warn(context.streams(), file->name + ": " + warning);
    return add_list(context, arguments, *file, *list);
}

constexpr auto kImportEqOptions = with_edit_options(
    std::array{Option{"--channels", "N", "Set the number of channels; default that of A, or 1 without A and B."}});

}  // namespace

extern constinit const Command kImportEq = checked({
    .position = 245,
    .name = "import eq",
    .arguments = {Argument{"FILE", Expects::file}, Argument{"NAME"}, Argument{"A", Expects::connected_output, 0},
                  Argument{"B", Expects::connected_input, 0}},
    .help = "Add an equalizer from a published list, or insert it into A -> B.",
    .details =
        "FILE is a list of Equalizer APO, AutoEQ or Room EQ Wizard; - is the standard input. The filters that are on\n"
        "become the bands of an equalizer NAME; a preamp becomes a gain NAME_preamp in front of it. Decimal commas are\n"
        "read. Types: PK, PEQ, Modal, LP, LPQ, LP1, HP, HPQ, HP1, BP, NO, Notch, AP, LS, LSC, LSQ, HS, HSC, HSQ, with\n"
        "Q, BW Oct, or the slope of a shelf (LS 6dB, LSC 10.8 dB). Slopes, bandwidths and corners have the meaning\n"
        "that they have in Equalizer APO. Lines that select devices are skipped with a warning; any other line that\n"
        "cannot be honoured, such as Channel: L or Delay:, is refused with its number.",
    .example = "rtactl import eq headphones.txt eq --channels 2\n"
               "rtactl import eq headphones.txt eq osc vol",
    .options = kImportEqOptions,
    .in_transaction = InTransaction::collected,
    .run = run_import_eq,
});

}  // namespace rta::rtactl::commands
