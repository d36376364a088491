// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "rta/type_table.h"
#include "rtactl/context/graph_list.h"
#include "rtactl/drawing/node_values.h"
#include "text/quoting.h"
#include "text/suggestion.h"

namespace rta::rtactl::commands {

namespace {

/// NODE, or NODE.PARAM.
struct Wanted {
    std::string_view node;
    std::string_view value;  ///< empty: all values
};

Result<Wanted> parse_wanted(std::string_view word) {
    const std::size_t dot = word.find('.');
    const Wanted wanted{.node = word.substr(0, dot),
                        .value = dot == std::string_view::npos ? std::string_view{} : word.substr(dot + 1)};
    if (wanted.node.empty() || (dot != std::string_view::npos && wanted.value.empty()))
        return usage_error("invalid name " + quoted(word) + ": expected NODE or NODE.PARAM, such as osc.frequency_hz");
    return wanted;
}

const v1::Node* find_node(const v1::Graph& graph, std::string_view name) {
    const auto found =
        std::ranges::find(graph.nodes(), name, [](const v1::Node& node) { return std::string_view{node.name()}; });
    return found == graph.nodes().end() ? nullptr : &*found;
}

std::string no_such_node(const v1::Graph& graph, std::string_view name) {
    std::vector<std::string_view> names;
    for (const v1::Node& node : graph.nodes()) names.emplace_back(node.name());
    return unknown_name("node", name, names);
}

std::string no_such_value(const v1::Node& node, const v1::NodeType* type, std::string_view name) {
    std::vector<std::string_view> names;
    for (const auto& [parameter, value] : node.parameters()) names.emplace_back(parameter);
    const auto settings = type == nullptr ? std::vector<v1::SettingInfo>{} : settings_of(*type, node.settings());
    for (const v1::SettingInfo& setting : settings) names.emplace_back(setting.name());
    std::ranges::sort(names);
    return "node " + node.name() + ": " + unknown_name("parameter or setting", name, names);
}

bool has_value(const v1::Node& node, const v1::NodeType* type, std::string_view name) {
    if (node.parameters().contains(std::string{name})) return true;
    return type != nullptr && std::ranges::any_of(settings_of(*type, node.settings()),
                                                  [&](const auto& setting) { return setting.name() == name; });
}

void keep_only(auto& map, std::string_view name) {
    for (auto entry = map.begin(); entry != map.end();) {
        if (entry->first == name) {
            ++entry;
        } else {
            entry = map.erase(entry);
        }
    }
}

/// Returns the response reduced to one node, and to one of its values unless `value` is empty.
v1::Response reduced(const v1::Response& response, const v1::Node& node, std::string_view value) {
    v1::Response small;
    small.set_id(response.id());
    *small.mutable_status() = response.status();
    v1::GraphResult& result = *small.mutable_get_graph();
    result.set_revision(response.get_graph().revision());
    result.set_change_number(response.get_graph().change_number());
    v1::Node& kept = *result.mutable_graph()->add_nodes();
    kept = node;
    if (value.empty()) return small;
    keep_only(*kept.mutable_parameters(), value);
    if (kept.has_settings()) keep_only(*kept.mutable_settings()->mutable_fields(), value);
    return small;
}

Result<void> run_get(Context& context, const Arguments& arguments) {
    const bool only_values = arguments.has("-q");
    if (arguments.words.empty())
        return only_values ? usage_error("get -q: missing name: expected NODE or NODE.PARAM") : list_graph(context);
    const auto wanted = parse_wanted(arguments.words[0]);
    if (!wanted) return std::unexpected(wanted.error());
    std::vector<v1::Request> requests{get_graph_request(v1::GRAPH_CONTENT_MESSAGE, {std::string{wanted->node}})};
    if (!context.has_types()) requests.push_back(list_types_request());
    auto responses = context.call_all(std::move(requests));
    if (!responses) return std::unexpected(responses.error());
    if (responses->size() == 2) context.set_types(std::move(*responses->back().mutable_list_node_types()));

    const v1::Graph& graph = responses->front().get_graph().graph();
    const v1::Node* node = find_node(graph, wanted->node);
    if (node == nullptr) return not_found(no_such_node(graph, wanted->node));
    const v1::NodeType* type = context.find_type(node->type());
    if (!wanted->value.empty() && !has_value(*node, type, wanted->value))
        return not_found(no_such_value(*node, type, wanted->value));
    if (context.json()) {
        context.print_json(reduced(responses->front(), *node, wanted->value));
    } else {
        print_values(context.out(), *node, type, wanted->value, only_values ? Naming::none : Naming::full);
    }
    return {};
}

constexpr std::array kGetOptions{Option{"-q", "", "Print the values alone, without names and units, one a line."}};

}  // namespace

extern constinit const Command kGet = checked({
    .position = 280,
    .name = "get",
    .arguments = {Argument{"NODE[.PARAM]", Expects::node_value, 0}},
    .help = "Show the parameters and settings of a node, or one of them.",
    .details = "Without a name, lists all nodes and connections, as list does.",
    .example = "rtactl get osc\n"
               "rtactl get osc.frequency_hz\n"
               "rtactl get -q vol.gain_db",
    .options = kGetOptions,
    .run = run_get,
});

}  // namespace rta::rtactl::commands
