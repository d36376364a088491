// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <set>

#include "rta/edits.h"
#include "rtactl/context/context.h"
#include "rtactl/language/assignment.h"

namespace rta::rtactl::commands {

namespace {

/// Returns the first of `sine`, `sine_2`, ... that is not in use.
std::string free_name(const std::string& type, const std::set<std::string>& used) {
    std::string name = type;
    for (std::size_t number = 2; used.contains(name); ++number) name = type + "_" + std::to_string(number);
    return name;
}

bool is_sink(const v1::NodeType* type) {
    return type != nullptr && type->outputs_size() == 0 && type->inputs_size() > 0;
}

v1::Node device_output(std::uint32_t channels) {
    v1::Node node;
    node.set_type("output");
    google::protobuf::Value width;
    width.set_number_value(std::max(channels, 1U));
    (*node.mutable_settings()->mutable_fields())["channels"] = width;
    return node;
}

Result<std::vector<ChainLink>> parse_chain(std::span<const std::string> words) {
    std::vector<ChainLink> links;
    for (const std::string& word : words) {
        auto link = parse_chain_link(word);
        if (!link) return usage_error(std::move(link.error()));
        links.push_back(std::move(*link));
    }
    return links;
}

/// Returns the nodes of the chain with their values, but without names.
Result<std::vector<v1::Node>> build_chain(const Context& context, std::span<const ChainLink> links,
                                          std::uint32_t device_channels) {
    std::vector<v1::Node> nodes;
    for (const ChainLink& link : links) {
        v1::Node& node = nodes.emplace_back();
        node.set_type(link.type);
        if (auto assigned = assign(context.find_type(link.type), link.assignments, node); !assigned)
            return usage_error(link.type + ": " + assigned.error());
    }
    if (!is_sink(context.find_type(links.back().type))) nodes.push_back(device_output(device_channels));
    return nodes;
}

void name_nodes(std::vector<v1::Node>& nodes, std::set<std::string> used) {
    for (v1::Node& node : nodes) {
        node.set_name(free_name(node.type(), used));
        used.insert(node.name());
    }
}

v1::Graph chain_graph(std::span<const v1::Node> nodes) {
    v1::Graph graph;
    for (const v1::Node& node : nodes) *graph.add_nodes() = node;
    for (std::size_t i = 1; i < nodes.size(); ++i) {
        v1::Connection& connection = *graph.add_connections();
        connection.set_from(nodes[i - 1].name());
        connection.set_to(nodes[i].name());
    }
    return graph;
}

std::vector<v1::Edit> chain_edits(std::span<const v1::Node> nodes) {
    std::vector<v1::Edit> edits;
    for (const v1::Node& node : nodes) *edits.emplace_back().mutable_add_node() = node;
    for (std::size_t i = 1; i < nodes.size(); ++i) edits.push_back(connect_edit(nodes[i - 1].name(), nodes[i].name()));
    return edits;
}

std::string chain_text(std::span<const v1::Node> nodes) {
    std::string text;
    for (const v1::Node& node : nodes) text.append(text.empty() ? "" : " -> ").append(node.name());
    return text;
}

Result<void> run_play(Context& context, const Arguments& arguments) {
    const bool keep = arguments.has("--add");
    if (context.transaction() && !keep)
        return usage_error("play replaces the whole graph, so it is not allowed in a transaction; `play --add` is");
    const auto links = parse_chain(arguments.words);
    if (!links) return std::unexpected(links.error());
    v1::Request status_request;
    status_request.mutable_get_status();
    const auto status = context.call(std::move(status_request));
    if (!status) return std::unexpected(status.error());
    if (auto fetched = context.fetch_types(); !fetched) return fetched;
    auto nodes = build_chain(context, *links, status->get_status().device().channels_out());
    if (!nodes) return std::unexpected(std::move(nodes.error()));

    if (keep) {
        const auto graph = context.fetch_graph();
        if (!graph) return std::unexpected(graph.error());
        std::set<std::string> used;
        for (const auto& [name, node] : (*graph)->nodes()) used.insert(name);
        name_nodes(*nodes, std::move(used));
        return context.edit(chain_edits(*nodes), "added " + chain_text(*nodes));
    }
    name_nodes(*nodes, {});
    v1::ApplyTransaction transaction;
    *transaction.mutable_graph() = chain_graph(*nodes);
    if (auto applied = context.apply(std::move(transaction), {{"playing " + chain_text(*nodes)}}); !applied)
        return applied;
    context.print_undo_hint();
    return {};
}

constexpr auto kPlayOptions =
    with_edit_options(std::array{Option{"--add", "", "Add the chain to the graph instead of replacing the graph."}});

}  // namespace

extern constinit const Command kPlay = checked({
    .position = 200,
    .name = "play",
    .arguments = {Argument{"TYPE[:p=v,...]", Expects::chain_link, 1, kUnlimited}},
    .help = "Play a chain of nodes, each connected to the next and the last to the device.",
    .details = "Replaces the whole graph in one transaction. Each node is named after its type: sine, sine_2. If the\n"
               "chain does not end in a sink, an output node with as many channels as the device is added. Quote a\n"
               "value that contains a : or a , character.",
    .example = "rtactl play sine:frequency_hz=440 gain:gain_db=-12\n"
               "rtactl play --add sine:frequency_hz=660,gain_db=-30dB",
    .options = kPlayOptions,
    .in_transaction = InTransaction::collected,
    .run = run_play,
});

}  // namespace rta::rtactl::commands
