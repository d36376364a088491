// SPDX-License-Identifier: MIT
#include "rtactl/context/switches.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_bypass(Context& context, const Arguments& arguments) {
    const auto on = parse_switch_word("bypass", arguments, 1);
    if (!on) return std::unexpected(on.error());
    return set_switch(context, arguments.words[0],
                      {.parameter = "bypass",
                       .refusal = "cannot be bypassed",
                       .expected = "a node whose ports in and out have the same number of channels"},
                      *on);
}

}  // namespace

extern constinit const Command kBypass = checked({
    .position = 320,
    .name = "bypass",
    .arguments = {Argument{"NODE", Expects::bypassed_node}, Argument{"on|off", Expects::on_off, 0}},
    .help = "Bypass a node, with a crossfade.",
    .details =
        "Sets the parameter bypass, which a node has if its ports in and out have the same number of channels. A\n"
        "bypassed node continues to run, and the bypassed signal keeps its latency.",
    .example = "rtactl bypass vol\n"
               "rtactl bypass vol off",
    .options = kEditOptions,
    .in_transaction = InTransaction::collected,
    .run = run_bypass,
});

}  // namespace rta::rtactl::commands
