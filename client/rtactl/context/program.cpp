// SPDX-License-Identifier: MIT
#include "rtactl/context/program.h"

#include <algorithm>
#include <ostream>

#include "rtactl/context/dispatch.h"
#include "rtactl/context/error_report.h"
#include "rtactl/drawing/style.h"
#include "rtactl/terminal/printable_stream.h"

namespace rta::rtactl {

namespace {

Result<void> run(const CommandTable& commands, const Invocation& invocation, ContextOptions options, Streams streams) {
    Context context{commands, std::move(options), streams};
    return dispatch(context, invocation);
}

/// Runs a command. Its text is escaped and in colours; JSON escapes its contents.
Result<void> run_shown(const CommandTable& commands, const Invocation& invocation, ContextOptions options,
                       Streams streams) {
    if (options.json) return run(commands, invocation, std::move(options), streams);
    PrintableStream out{streams.out};
    TerminalStyles styles{streams.out};
    if (streams.styled_out) set_style_sink(out, &styles);
    const Streams shown{.in = streams.in,
                        .out = out,
                        .err = streams.err,
                        .interactive = streams.interactive,
                        .terminal = streams.terminal,
                        .descriptor = streams.descriptor,
                        .styled_out = streams.styled_out,
                        .styled_err = streams.styled_err,
                        .screen = &streams.out};
    const Result<void> outcome = run(commands, invocation, std::move(options), shown);
    out.flush();
    return outcome;
}

/// Returns whether --json is among the words, which need not be a valid command line.
bool wants_json(std::span<const std::string> words) {
    const auto options = words.first(static_cast<std::size_t>(std::ranges::find(words, "--") - words.begin()));
    return std::ranges::find(options, "--json") != options.end();
}

Result<void> run_words(const CommandTable& commands, std::span<const std::string> words, Streams streams) {
    auto invocation = parse_invocation(commands, words, Place::command_line);
    if (!invocation) return std::unexpected(invocation.error());
    if (invocation->globals.has("--version")) {
        streams.out << "rtactl " << RTA_VERSION << '\n';
        return {};
    }
    const bool bare = invocation->command == nullptr && !invocation->help;
    if (bare) {
        invocation->command = commands.find("status");
        invocation->arguments.options["--summary"] = "";
    }
    // Help must not depend on a correct configuration.
    const bool connects = !invocation->help && invocation->command->connects;
    auto options = connects ? context_options(invocation->globals)
                            : ContextOptions{.endpoints = {}, .json = invocation->globals.has("--json")};
    if (!options) return std::unexpected(std::move(options.error()));
    auto outcome = run_shown(commands, *invocation, std::move(*options), streams);
    if (bare && !outcome && outcome.error().exit == Exit::cannot_connect) {
        std::string& sentence = outcome.error().sentence;
        sentence += sentence.ends_with('?') ? " " : "; ";
        sentence += "`rtad` starts a daemon, `rtactl --help` lists all commands";
    }
    return outcome;
}

}  // namespace

Exit run_program(const CommandTable& commands, std::span<const std::string> words, Streams given) {
    PrintableStream err{given.err};
    TerminalStyles styles{given.err};
    if (given.styled_err) set_style_sink(err, &styles);
    const Streams streams{.in = given.in,
                          .out = given.out,
                          .err = err,
                          .interactive = given.interactive,
                          .terminal = given.terminal,
                          .descriptor = given.descriptor,
                          .styled_out = given.styled_out,
                          .styled_err = given.styled_err,
                          .screen = given.screen};
    const auto result = run_words(commands, words, streams);
    if (!result) {
        // --json counts even if the words cannot be parsed.
        report(streams, wants_json(words), result.error());
        return result.error().exit;
    }
    streams.out.flush();
    if (!streams.out) {
        streams.err << "rtactl: cannot write the output\n";
        return Exit::refused;
    }
    return Exit::done;
}

}  // namespace rta::rtactl
