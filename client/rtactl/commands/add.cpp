// SPDX-License-Identifier: MIT
#include "rtactl/context/context.h"
#include "rtactl/language/assignment.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_add(Context& context, const Arguments& arguments) {
    const auto assignments = parse_assignments(std::span{arguments.words}.subspan(2));
    if (!assignments) return usage_error(assignments.error());
    if (auto fetched = context.fetch_types(); !fetched) return fetched;
    v1::Edit edit;
    v1::Node& node = *edit.mutable_add_node();
    node.set_type(arguments.words[0]);
    node.set_name(arguments.words[1]);
    if (auto assigned = assign(context.find_type(node.type()), *assignments, node); !assigned)
        return usage_error(node.name() + ": " + assigned.error());
    std::string done = "added " + node.name() + " (" + node.type() + ")";
    return context.edit({std::move(edit)}, std::move(done));
}

}  // namespace

extern constinit const Command kAdd = checked({
    .position = 210,
    .name = "add",
    .arguments = {Argument{"TYPE", Expects::type}, Argument{"NAME"},
                  Argument{"p=v", Expects::type_value, 0, kUnlimited}},
    .help = "Add a node, with its parameters and settings.",
    .details = "Values may have units: 250ms, 0.25s, -6dB, -inf, 440Hz, 2kHz, on, off.",
    .example = "rtactl add sine fifth frequency_hz=2kHz channels=2",
    .options = kEditOptions,
    .in_transaction = InTransaction::collected,
    .run = run_add,
});

}  // namespace rta::rtactl::commands
