// SPDX-License-Identifier: MIT
#include "rtactl/context/program.h"

#include <ostream>

#include "rtactl/context/dispatch.h"
#include "rtactl/terminal/printable_stream.h"

namespace rta::rtactl {

namespace {

Result<void> run(const CommandTable& commands, const Invocation& invocation, ContextOptions options, Streams streams) {
    Context context{commands, std::move(options), streams};
    return dispatch(context, invocation);
}

Result<void> run_words(const CommandTable& commands, std::span<const std::string> words, Streams streams) {
    const auto invocation = parse_invocation(commands, words, Place::command_line);
    if (!invocation) return std::unexpected(invocation.error());
    if (invocation->globals.has("--version")) {
        streams.out << "rtactl " << RTA_VERSION << '\n';
        return {};
    }
    if (invocation->command == nullptr && !invocation->help)
        return usage_error("missing command; `rtactl --help` lists all commands");
    auto options = context_options(invocation->globals);
    if (!options) return std::unexpected(std::move(options.error()));
    if (options->json) return run(commands, *invocation, std::move(*options), streams);
    PrintableStream out{streams.out};
    const Streams shown{.in = streams.in,
                        .out = out,
                        .err = streams.err,
                        .interactive = streams.interactive,
                        .terminal = streams.terminal,
                        .descriptor = streams.descriptor,
                        .screen = &streams.out};
    const Result<void> outcome = run(commands, *invocation, std::move(*options), shown);
    out.flush();
    return outcome;
}

}  // namespace

Exit run_program(const CommandTable& commands, std::span<const std::string> words, Streams given) {
    // JSON escapes its contents; errors are text in either case.
    PrintableStream err{given.err};
    const Streams streams{.in = given.in,
                          .out = given.out,
                          .err = err,
                          .interactive = given.interactive,
                          .terminal = given.terminal,
                          .descriptor = given.descriptor,
                          .screen = given.screen};
    const auto result = run_words(commands, words, streams);
    streams.out.flush();
    if (!result) {
        if (!result.error().sentence.empty()) streams.err << "rtactl: " << result.error().sentence << '\n';
        return result.error().exit;
    }
    if (!streams.out) {
        streams.err << "rtactl: cannot write the output\n";
        return Exit::refused;
    }
    return Exit::done;
}

}  // namespace rta::rtactl
