// SPDX-License-Identifier: MIT
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rtactl/context/context.h"
#include "rtactl/context/insertion.h"
#include "rtactl/language/assignment.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_insert(Context& context, const Arguments& arguments) {
    const auto assignments = parse_assignments(std::span{arguments.words}.subspan(4));
    if (!assignments) return usage_error(assignments.error());
    const auto point = find_insertion_point(context, arguments.words[2], arguments.words[3]);
    if (!point) return std::unexpected(point.error());

    std::vector<v1::Edit> edits(1);
    v1::Node& node = *edits.front().mutable_add_node();
    node.set_type(arguments.words[0]);
    node.set_name(arguments.words[1]);
    const v1::NodeType* type = context.find_type(node.type());
    if (auto assigned = assign(type, *assignments, node); !assigned)
        return usage_error(node.name() + ": " + assigned.error());
    inherit_channels(type, *point, node);
    const std::string done = "inserted " + point->from + " -> " + node.name() + " -> " + point->to;
    for (v1::Edit& edit : insertion_edits(*point, node.name(), node.name())) edits.push_back(std::move(edit));
    return context.edit(std::move(edits), done);
}

}  // namespace

extern constinit const Command kInsert = checked({
    .position = 240,
    .name = "insert",
    .arguments = {Argument{"TYPE", Expects::type}, Argument{"NAME"}, Argument{"A", Expects::connected_output},
                  Argument{"B", Expects::connected_input}, Argument{"p=v", Expects::type_value, 0, kUnlimited}},
    .help = "Insert a new node into the connection A -> B, with a crossfade.",
    .details =
        "The gain of the connection moves to the connection from the new node to B. If the node has the setting\n"
        "channels, the default here is the number of channels of A.",
    .example = "rtactl insert gain trim osc vol gain_db=-3dB",
    .options = kEditOptions,
    .in_transaction = InTransaction::collected,
    .run = run_insert,
});

}  // namespace rta::rtactl::commands
