// SPDX-License-Identifier: MIT
#include <ostream>

#include "rtactl/context/context.h"
#include "rtactl/drawing/text_table.h"
#include "rtactl/drawing/type_page.h"
#include "rtactl/drawing/wording.h"

namespace rta::rtactl::commands {

namespace {

std::string port_list(const auto& ports) {
    std::string names;
    for (const v1::PortInfo& port : ports) names.append(names.empty() ? "" : " ").append(port.name());
    return names.empty() ? "-" : names;
}

void print_types(std::ostream& out, const v1::NodeTypesResult& types) {
    TextTable table;
    table.heading({"TYPE", "IN", "OUT", "HELP"});
    for (const v1::NodeType& type : types.types())
        table.add({type.name(), port_list(type.inputs()), port_list(type.outputs()),
                   std::string{first_sentence(type.help())}});
    table.print(out);
}

Result<void> run_types(Context& context, const Arguments& arguments) {
    const bool one = !arguments.words.empty();
    if (one && arguments.words[0].empty()) return usage_error("empty node type; `rtactl types` lists all node types");
    const auto response = context.query(list_types_request(one ? arguments.words[0] : ""));
    if (!response) return std::unexpected(response.error());
    if (context.json()) return {};
    if (!one) {
        print_types(context.out(), response->list_node_types());
        return {};
    }
    for (const v1::NodeType& type : response->list_node_types().types()) print_type(context.out(), type);
    return {};
}

}  // namespace

extern constinit const Command kTypes = checked({
    .position = 120,
    .name = "types",
    .arguments = {Argument{"TYPE", Expects::type, 0}},
    .help = "List the node types, or show the ports, settings and parameters of one.",
    .example = "rtactl types\n"
               "rtactl types sine",
    .run = run_types,
});

}  // namespace rta::rtactl::commands
