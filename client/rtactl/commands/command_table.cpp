// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "rtactl/language/command.h"

namespace rta::rtactl {

namespace {

constexpr std::array kGlobalOptions{
    Option{"--host", "HOST[:PORT]",
           "Address of the daemon over TCP; the port is 7340 if left out, IPv6 is written [::1]:7340."},
    Option{"--socket", "PATH", "Unix socket of the daemon.", Expects::file},
    Option{"--timeout", "S", "Longest time for connecting and for each answer, 10 s if left out."},
    Option{"--json", "", "Print the daemon's response as JSON on one line, and nothing else."},
    Option{"--help", "", "Print help, of the command if one is given."},
    Option{"--version", "", "Print the version."},
};

constexpr std::array kPlayOptions{Option{"--add", "", "Keep what is there and add the chain to it."}};
constexpr std::array kResponseOptions{Option{
    "--svg", "FILE", "Draw it into this file instead (- is the standard output), with the phase of every output.",
    Expects::file}};
constexpr std::array kSetOptions{
    Option{"--ramp", "MS", "How long the parameters take to get there, 20 ms if left out; 0 jumps, which may click."}};

constexpr std::array kShowOptions{
    Option{"--svg", "FILE", "Draw it as SVG into this file (- is the standard output).", Expects::file}};

constexpr Option kCountOption{"--count", "N", "End after as many."};
constexpr std::array kTelemetryOptions{
    Option{"--rate", "HZ", "How many events a second, 1 to 100 Hz, 10 Hz if left out."}, kCountOption};
constexpr std::array kMeterOptions{kTelemetryOptions[0], kTelemetryOptions[1],
                                   Option{"--reset", "", "Begin integrated loudness, range and maxima anew, and end."}};
constexpr std::array kTopOptions{Option{"--rate", "HZ", "How often a second it looks, 0.1 to 10 Hz, 1 Hz if left out."},
                                 kCountOption};

constexpr Argument kType{"TYPE", Expects::type};
constexpr Argument kOptionalType{"TYPE", Expects::type, 0};
constexpr Argument kNewName{"NAME"};
constexpr Argument kTypeValues{"p=v", Expects::type_value, 0, kAnyNumber};
constexpr Argument kConnectedOutput{"A", Expects::connected_output};
constexpr Argument kConnectedInput{"B", Expects::connected_input};
constexpr Argument kFile{"FILE", Expects::file};

constexpr std::array kCommands{
    Command{.name = "status",
            .help = "Show the device, its latency, what real-time rights were granted, and the engine.",
            .details = "",
            .example = "rtactl status",
            .run = run_status},
    Command{.name = "devices",
            .help = "List the sound devices that the daemon could open.",
            .details = "",
            .example = "rtactl devices",
            .run = run_devices},
    Command{.name = "types",
            .arguments = {kOptionalType},
            .help = "List the node types, or show one with its ports, settings and parameters.",
            .details = "",
            .example = "rtactl types\nrtactl types sine",
            .run = run_types},
    Command{
        .name = "play",
        .arguments = {Argument{"TYPE[:p=v,...]", Expects::chain_link, 1, kAnyNumber}},
        .help = "Play a chain of nodes: each feeds the next, the last one the device.",
        .details =
            "Replaces the whole graph in one transaction. The nodes are named by their types (sine, sine_2). Where "
            "the\n"
            "chain does not end in a sink, an output as wide as the device is added. A value that holds a : or a ,\n"
            "stands in quotes.",
        .example =
            "rtactl play sine:frequency_hz=440 gain:gain_db=-12\nrtactl play --add sine:frequency_hz=660,gain_db=-30dB",
        .options = kPlayOptions,
        .in_transaction = InTransaction::collected,
        .run = run_play},
    Command{.name = "add",
            .arguments = {kType, kNewName, kTypeValues},
            .help = "Add a node, with parameters and settings.",
            .details = "Values take units: 250ms, 0.25s, -6dB, -inf, 440Hz, 2kHz, on, off.",
            .example = "rtactl add sine fifth frequency_hz=2kHz channels=2",
            .in_transaction = InTransaction::collected,
            .run = run_add},
    Command{.name = "remove",
            .arguments = {Argument{"NAME", Expects::node, 1, kAnyNumber}},
            .help = "Remove nodes and their connections.",
            .details = "",
            .example = "rtactl remove osc vol",
            .in_transaction = InTransaction::collected,
            .run = run_remove},
    Command{.name = "rename",
            .arguments = {Argument{"A", Expects::node}, Argument{"B"}},
            .help = "Give a node another name; it plays on.",
            .details = "",
            .example = "rtactl rename osc tone",
            .in_transaction = InTransaction::collected,
            .run = run_rename},
    Command{.name = "insert",
            .arguments = {kType, kNewName, kConnectedOutput, kConnectedInput, kTypeValues},
            .help = "Put a new node into the connection A -> B, cross-faded.",
            .details =
                "The connection's gain is kept, behind the new node. A node with the setting channels is as wide as "
                "what A\n"
                "gives, unless channels is given too.",
            .example = "rtactl insert gain trim osc vol gain_db=-3dB",
            .in_transaction = InTransaction::collected,
            .run = run_insert},
    Command{.name = "connect",
            .arguments = {Argument{"A", Expects::output}, Argument{"B", Expects::input},
                          Argument{"gain_db=v", Expects::connection_value, 0}},
            .help = "Connect an output to an input, or change the gain of the connection that is there.",
            .details = "A and B are NODE or NODE:PORT; the port may be left out where the node has one.",
            .example = "rtactl connect osc vol\nrtactl connect osc vol gain_db=-6",
            .in_transaction = InTransaction::collected,
            .run = run_connect},
    Command{.name = "disconnect",
            .arguments = {kConnectedOutput, kConnectedInput},
            .help = "Remove a connection; it fades out.",
            .details = "",
            .example = "rtactl disconnect osc vol",
            .in_transaction = InTransaction::collected,
            .run = run_disconnect},
    Command{
        .name = "set",
        .arguments = {Argument{"NODE.PARAM=VALUE", Expects::node_assignment, 1, kAnyNumber}},
        .help = "Set parameters, which ramp, or settings, which build the node anew, cross-faded.",
        .details = "Several assignments are made all together or not at all. Values take units: 250ms, -6dB, 2kHz, on.",
        .example = "rtactl set osc.frequency_hz=660 vol.gain_db=-20dB --ramp 500\nrtactl set osc.channels=2",
        .options = kSetOptions,
        .in_transaction = InTransaction::collected,
        .run = run_set},
    Command{.name = "get",
            .arguments = {Argument{"NODE[.PARAM]", Expects::node_value}},
            .help = "Show the parameters and settings of a node, or one of them.",
            .details = "",
            .example = "rtactl get osc\nrtactl get osc.frequency_hz",
            .run = run_get},
    Command{
        .name = "response",
        .arguments = {Argument{"NODE[:PORT]", Expects::output}},
        .help = "Draw the frequency response of a filter as it is set now: magnitude, and phase of a single output.",
        .details =
            "Of biquad_filter, equalizer, crossover, dc_blocker and gain. With --json: the response, as numbers.",
        .example = "rtactl response vol\nrtactl response vol:out --svg vol.svg",
        .options = kResponseOptions,
        .run = run_response},
    Command{.name = "mute",
            .arguments = {Argument{"NODE", Expects::muted_node, 0}},
            .help = "Mute a node, by its parameter mute, or the device output.",
            .details = "The output fades to silence and the graph plays on unheard; unmute brings it back.",
            .example = "rtactl mute\nrtactl mute vol",
            .in_transaction = InTransaction::collected,
            .run = run_mute},
    Command{.name = "unmute",
            .arguments = {Argument{"NODE", Expects::muted_node, 0}},
            .help = "Let a node or the device output be heard again.",
            .details = "",
            .example = "rtactl unmute\nrtactl unmute vol",
            .in_transaction = InTransaction::collected,
            .run = run_unmute},
    Command{.name = "bypass",
            .arguments = {Argument{"NODE", Expects::bypassed_node}, Argument{"on|off", Expects::on_off, 0}},
            .help = "Let the signal go around a node, by its parameter bypass, cross-faded.",
            .details =
                "The way around is as late as the node, which goes on working unheard; off lets it be heard again.\n"
                "Every node whose in and out have one width can be bypassed.",
            .example = "rtactl bypass vol\nrtactl bypass vol off",
            .in_transaction = InTransaction::collected,
            .run = run_bypass},
    Command{.name = "panic",
            .help = "Mute the device output and let every processor start afresh.",
            .details =
                "For a feedback that runs away, or a tail that will not end. The graph and its parameters stay as "
                "they are;\n"
                "the output stays muted until `rtactl unmute`.",
            .example = "rtactl panic",
            .run = run_panic},
    Command{.name = "graph show",
            .help = "Print the graph as a document.",
            .details = "With --svg FILE it is drawn instead, by Graphviz, which must be installed.",
            .example = "rtactl graph show\nrtactl graph show --svg chain.svg",
            .options = kShowOptions,
            .run = run_graph_show},
    Command{.name = "graph dot",
            .help = "Print the graph in the language of Graphviz, which draws it.",
            .details = "Nodes show what differs from their defaults. With --json: the response, as of graph show.",
            .example = "rtactl graph dot\nrtactl graph dot | dot -Tsvg -o graph.svg",
            .run = run_graph_dot},
    Command{
        .name = "graph save",
        .arguments = {kFile},
        .help = "Write the graph to a file (- is the standard output).",
        .details = "The file is replaced in one step: a reader sees the old document or the new one, never half of it.",
        .example = "rtactl graph save chain.json",
        .run = run_graph_save},
    Command{.name = "graph load",
            .arguments = {kFile},
            .help = "Replace the graph by the document in a file (- is the standard input).",
            .details = "Nodes of the same name, type and settings play on; parameters left out take their defaults.",
            .example = "rtactl graph load chain.json",
            .run = run_graph_load},
    Command{.name = "graph check",
            .arguments = {kFile},
            .help = "Check the document in a file (- is the standard input) without changing anything.",
            .details = "",
            .example = "rtactl graph check chain.json",
            .run = run_graph_check},
    Command{.name = "graph diff",
            .arguments = {kFile},
            .help = "Show what loading the document in a file (- is the standard input) would change.",
            .details = "As the commands that would change it, one a line, or a line that begins with # where nothing "
                       "would: between\n"
                       "begin and commit of `rtactl shell` they do. With --json as an EditList. The exit status is 0 "
                       "either way.",
            .example = "rtactl graph diff chain.json",
            .run = run_graph_diff},
    Command{.name = "graph compensate",
            .arguments = {Argument{"on|off", Expects::on_off, 0}},
            .help = "Hold back what would come early where paths of different latency meet, or no longer.",
            .details = "Also at the outputs. What looks ahead, and how far, is told by status. The document keeps it.",
            .example = "rtactl graph compensate on",
            .in_transaction = InTransaction::collected,
            .run = run_graph_compensate},
    Command{.name = "graph clear",
            .help = "Remove everything from the graph.",
            .details = "",
            .example = "rtactl graph clear",
            .run = run_graph_clear},
    Command{.name = "meter",
            .arguments = {Argument{"NODE", Expects::meter_node, 0, kAnyNumber}},
            .help = "Show the levels of the device output and of every meter node, and the meters' loudness.",
            .details =
                "Until interrupted. On a terminal as bars of -60 to 0 dB: = is the RMS, - the peak, | the highest peak "
                "of late;\n"
                "over is above full scale. Below the bars of a meter the loudness of all its channels (EBU R 128):\n"
                "M of 400 ms, S of 3 s, I of the programme, and its true peaks. Elsewhere one line an event.\n"
                "With NODE, only these meters.\n"
                "The programme begins where somebody first looks at the meter, or with --reset, for all who look at "
                "it;\n"
                "while nobody looks, it rests.",
            .example = "rtactl meter\nrtactl meter vu --rate 25 --count 50\nrtactl meter --reset vu",
            .options = kMeterOptions,
            .run = run_meter},
    Command{.name = "top",
            .help = "Show load, xruns, clients and the nodes that take most time, once a second, until interrupted.",
            .details =
                "Load is the time that callbacks of the device take, as a share of the time that they have, over "
                "the last\n"
                "second. A node's share is that of a block's time, over the last half second and on the average since\n"
                "somebody looked. Where there is no terminal, one such page follows the other.",
            .example = "rtactl top\nrtactl top --rate 2 --count 3",
            .options = kTopOptions,
            .run = run_top},
    Command{.name = "watch",
            .arguments = {Argument{"TOPIC", Expects::topic, 0, kAnyNumber}},
            .help = "Print events as they happen, one line each, until interrupted.",
            .details =
                "Topics are changes, levels, load, xruns and node_loads; without any, changes: those of the graph, of "
                "parameters, of\n"
                "the device, whoever makes them. With --json: first the response to the subscription, whose\n"
                "change_number the first change follows, then one line an event.",
            .example = "rtactl watch\nrtactl watch load xruns --rate 1\nrtactl --json watch",
            .options = kTelemetryOptions,
            .run = run_watch},
    Command{.name = "shell",
            .help = "Run commands from the standard input, one a line, over one connection.",
            .details = "The lines between begin and commit are one transaction: all of it happens at once, or nothing. "
                       "Blank lines\n"
                       "are skipped, and so is everything behind a #. A line that is refused is reported with its "
                       "number; the rest\n"
                       "is still run, and the exit status is 1.",
            .example = "rtactl shell\nprintf 'begin\\nremove osc\\nadd sine osc\\ncommit\\n' | rtactl shell",
            .place = Place::command_line,
            .run = run_shell},
    Command{.name = "begin",
            .help = "Begin a transaction.",
            .details = "The edits that follow are collected; commit makes them all at once, abort drops them.",
            .example = "begin",
            .place = Place::shell,
            .in_transaction = InTransaction::control,
            .run = run_begin},
    Command{.name = "commit",
            .help = "Make the edits since begin, all or none.",
            .details = "",
            .example = "commit",
            .place = Place::shell,
            .in_transaction = InTransaction::control,
            .run = run_commit},
    Command{.name = "abort",
            .help = "Drop the edits since begin.",
            .details = "",
            .example = "abort",
            .place = Place::shell,
            .in_transaction = InTransaction::control,
            .run = run_abort},
    Command{.name = "quit",
            .help = "Leave the shell.",
            .details = "",
            .example = "quit",
            .place = Place::shell,
            .in_transaction = InTransaction::control,
            .run = run_quit},
    Command{.name = "help",
            .arguments = {Argument{"COMMAND", Expects::command, 0, 2}},
            .help = "List the commands, or explain one.",
            .details = "",
            .example = "rtactl help graph save",
            .in_transaction = InTransaction::control,
            .run = run_help},
    Command{.name = "completion",
            .arguments = {Argument{"bash|zsh|fish", Expects::terminal_shell}},
            .help = "Print the script that lets a shell complete what is typed behind rtactl.",
            .details = "`cmake --install` puts the scripts where the shells look for them. Without it, bash reads one "
                       "by\n"
                       "source <(rtactl completion bash), zsh the same way behind compinit, fish by\n"
                       "rtactl completion fish | source.",
            .example = "rtactl completion bash",
            .place = Place::command_line,
            .run = run_completion},
    Command{.name = "complete",
            .arguments = {Argument{"WORD", Expects::text, 0, kAnyNumber}},
            .help = "Print what the last of the words behind rtactl may become, for the scripts of the shells.",
            .details =
                "The first line is `files` where a file is expected, else `words`; then a candidate a line, with "
                "a blank\n"
                "behind it where the word ends with it, a tab, and what it is.",
            .example = "rtactl complete -- play ga",
            .place = Place::program,
            .run = run_complete},
};

consteval bool well_formed() {
    for (const Command& command : kCommands) {
        if (command.name.empty() || !command.help.ends_with('.') || command.example.empty() || command.run == nullptr)
            return false;
        // Empty ones come last, and no word could follow one of any number.
        for (std::size_t i = 0; i < kMostArguments; ++i) {
            const Argument& argument = command.arguments[i];
            if (!argument.name.empty() && (argument.most == 0 || argument.fewest > argument.most)) return false;
            if (i > 0 && !argument.name.empty() &&
                (command.arguments[i - 1].name.empty() || command.arguments[i - 1].most == kAnyNumber))
                return false;
        }
        if (std::ranges::count(kCommands, command.name, &Command::name) != 1) return false;
        for (const Option& option : command.options) {
            if (!option.name.starts_with("--") || !option.help.ends_with('.')) return false;
            if (std::ranges::count(kGlobalOptions, option.name, &Option::name) != 0) return false;
        }
    }
    return true;
}
static_assert(well_formed());

}  // namespace

std::span<const Option> global_options() { return kGlobalOptions; }

std::span<const Command> commands() { return kCommands; }

const Argument* Command::argument_at(std::size_t index) const {
    for (const Argument& argument : arguments) {
        if (argument.name.empty()) break;
        if (index < argument.most) return &argument;
        index -= argument.most;
    }
    return nullptr;
}

std::string arguments_text(const Command& command) {
    std::string text;
    for (const Argument& argument : command.arguments) {
        if (argument.name.empty()) break;
        std::string one{argument.name};
        if (argument.most == kAnyNumber) one += "...";
        if (argument.fewest == 0) one = "[" + one + "]";
        text.append(text.empty() ? "" : " ").append(one);
    }
    return text;
}

const Command* find_command(std::string_view name) {
    const auto* found = std::ranges::find(kCommands, name, &Command::name);
    return found == kCommands.end() ? nullptr : found;
}

}  // namespace rta::rtactl
