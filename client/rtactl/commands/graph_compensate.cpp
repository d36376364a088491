// SPDX-License-Identifier: MIT
#include "rtactl/context/switches.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_graph_compensate(Context& context, const Arguments& arguments) {
    const auto enabled = parse_switch_word("graph compensate", arguments, 0);
    if (!enabled) return std::unexpected(enabled.error());
    v1::Edit edit;
    edit.mutable_set_latency_compensation()->set_enabled(*enabled);
    return context.edit({std::move(edit)}, std::string{"latency compensation "} + (*enabled ? "on" : "off"));
}

}  // namespace

extern constinit const Command kGraphCompensate = checked({
    .position = 460,
    .name = "graph compensate",
    .arguments = {Argument{"on|off", Expects::on_off, 0}},
    .help = "Switch latency compensation on or off.",
    .details = "If on, signals that meet at a node or at the outputs are aligned: paths of lower latency are delayed.\n"
               "`rtactl status` shows the latency of each node. The document stores the switch.",
    .example = "rtactl graph compensate on",
    .options = kEditOptions,
    .in_transaction = InTransaction::collected,
    .run = run_graph_compensate,
});

}  // namespace rta::rtactl::commands
