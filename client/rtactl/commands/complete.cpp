// SPDX-License-Identifier: MIT
#include <ostream>

#include "rtactl/context/daemon_completion.h"

namespace rta::rtactl::commands {

namespace {

void print(std::ostream& out, const Completion& completion) {
    out << (completion.file ? "files\n" : "words\n");
    for (const Candidate& candidate : completion.candidates)
        out << candidate.text << (candidate.final ? " " : "") << '\t' << candidate.help << '\n';
}

Result<void> run_complete(Context& context, const Arguments& arguments) {
    const std::span<const std::string> words{arguments.words};
    if (words.empty()) return usage_error("missing word to complete; it may be empty");
    // Asks the daemon that the words themselves name.
    auto options = context_options(global_options_in(context.commands(), words.first(words.size() - 1)));
    if (!options) return std::unexpected(std::move(options.error()));
    Context of_words{context.commands(), std::move(*options), context.streams()};
    DaemonCompletion source{of_words};
    print(context.out(), complete(context.commands(), words, Place::command_line, source));
    return {};
}

}  // namespace

extern constinit const Command kComplete = checked({
    .position = 720,
    .name = "complete",
    .arguments = {Argument{"WORD", Expects::text, 0, kUnlimited}},
    .help = "Print the completions of the last word, for the completion scripts.",
    .details =
        "The first line is `files` if a file is expected, else `words`. Each further line is a candidate, followed by\n"
        "a space if it completes the word, a tab, and its description.",
    .example = "rtactl complete -- play ga",
    .place = Place::program,
    .connects = false,
    .run = run_complete,
});

}  // namespace rta::rtactl::commands
