// SPDX-License-Identifier: MIT
#include <algorithm>
#include <ostream>

#include "rtactl/context/context.h"
#include "rtactl/drawing/print.h"
#include "rtactl/drawing/type_page.h"
#include "rtactl/language/command.h"
#include "text/names.h"

namespace rta::rtactl {

namespace {

const v1::Node* find_node(const v1::Graph& graph, std::string_view name) {
    const auto found =
        std::ranges::find(graph.nodes(), name, [](const v1::Node& node) { return std::string_view{node.name()}; });
    return found == graph.nodes().end() ? nullptr : &*found;
}

std::string no_such_node(const v1::Graph& graph, std::string_view name) {
    std::vector<std::string_view> names;
    for (const v1::Node& node : graph.nodes()) names.emplace_back(node.name());
    return no_such("node", name, names);
}

std::string no_such_value(const v1::Node& node, const v1::NodeType* type, std::string_view name) {
    std::vector<std::string_view> names;
    for (const auto& [parameter, value] : node.parameters()) names.emplace_back(parameter);
    if (type != nullptr) {
        for (const v1::SettingInfo& setting : type->settings()) names.emplace_back(setting.name());
    }
    std::ranges::sort(names);
    return "node " + node.name() + ": " + no_such("parameter or setting", name, names);
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

/// The response with nothing in its graph but what was asked for.
v1::Response reduced(const v1::Response& response, const v1::Node& node, std::string_view name) {
    v1::Response small;
    small.set_id(response.id());
    *small.mutable_status() = response.status();
    v1::GraphResult& result = *small.mutable_get_graph();
    result.set_revision(response.get_graph().revision());
    result.set_change_number(response.get_graph().change_number());
    v1::Node& kept = *result.mutable_graph()->add_nodes();
    kept = node;
    if (name.empty()) return small;
    keep_only(*kept.mutable_parameters(), name);
    if (kept.has_settings()) keep_only(*kept.mutable_settings()->mutable_fields(), name);
    return small;
}

}  // namespace

Result<void> run_status(Session& session, const Arguments&) {
    v1::Request request;
    request.mutable_get_status();
    const auto response = session.perform(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (!session.json()) print_status(session.out(), response->get_status());
    return {};
}

Result<void> run_devices(Session& session, const Arguments&) {
    v1::Request request;
    request.mutable_list_devices();
    const auto response = session.perform(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (!session.json()) print_devices(session.out(), response->list_devices());
    return {};
}

Result<void> run_types(Session& session, const Arguments& arguments) {
    const bool one = !arguments.words.empty();
    if (one && arguments.words[0].empty())
        return usage_error("the name of the node type is empty; `rtactl types` lists them");
    const auto response = session.perform(list_types_request(one ? arguments.words[0] : ""));
    if (!response) return std::unexpected(response.error());
    if (session.json()) return {};
    if (!one) {
        print_types(session.out(), response->list_node_types());
        return {};
    }
    for (const v1::NodeType& type : response->list_node_types().types()) print_type(session.out(), type);
    return {};
}

Result<void> run_get(Session& session, const Arguments& arguments) {
    const std::string_view wanted = arguments.words[0];
    const std::size_t dot = wanted.find('.');
    const std::string_view node_name = wanted.substr(0, dot);
    const std::string_view name = dot == std::string_view::npos ? std::string_view{} : wanted.substr(dot + 1);
    if (node_name.empty() || (dot != std::string_view::npos && name.empty())) {
        return usage_error(quoted(wanted) + " is not NODE or NODE.PARAM, such as osc.frequency_hz");
    }
    std::vector<v1::Request> requests{get_graph_request(v1::GRAPH_CONTENT_MESSAGE, {std::string{node_name}})};
    if (!session.knows_types()) requests.push_back(list_types_request());
    auto responses = session.ask_all(std::move(requests));
    if (!responses) return std::unexpected(responses.error());
    if (responses->size() == 2) session.learn_types(std::move(*responses->back().mutable_list_node_types()));

    const v1::Graph& graph = responses->front().get_graph().graph();
    const v1::Node* node = find_node(graph, node_name);
    if (node == nullptr) return fail(Exit::refused, no_such_node(graph, node_name));
    const v1::NodeType* type = session.find_type(node->type());
    const bool is_setting = type != nullptr && std::ranges::any_of(type->settings(), [&](const auto& setting) {
                                return setting.name() == name;
                            });
    if (!name.empty() && !is_setting && !node->parameters().contains(std::string{name})) {
        return fail(Exit::refused, no_such_value(*node, type, name));
    }
    if (session.json()) {
        session.print_json(reduced(responses->front(), *node, name));
    } else {
        print_values(session.out(), *node, type, name);
    }
    return {};
}

}  // namespace rta::rtactl
