// SPDX-License-Identifier: MIT
#include <algorithm>
#include <ostream>

#include "rtactl/context/daemon_source.h"
#include "rtactl/language/command.h"
#include "rtactl/program.h"
#include "rtactl/terminal/completion_scripts.h"
#include "text/names.h"

namespace rta::rtactl {

namespace {

void print(std::ostream& out, const Completion& completion) {
    out << (completion.file ? "files\n" : "words\n");
    for (const Candidate& candidate : completion.candidates)
        out << candidate.text << (candidate.final ? " " : "") << '\t' << candidate.help << '\n';
}

}  // namespace

Result<void> run_completion(Session& session, const Arguments& arguments) {
    const std::span<const TerminalShell> shells = terminal_shells();
    const auto found = std::ranges::find(shells, arguments.words[0], &TerminalShell::name);
    if (found == shells.end()) {
        std::vector<std::string_view> names;
        names.reserve(shells.size());
        for (const TerminalShell& shell : shells) names.push_back(shell.name);
        return usage_error(no_such("shell", arguments.words[0], names));
    }
    session.out() << found->script();
    return {};
}

Result<void> run_complete(Session& session, const Arguments& arguments) {
    const std::span<const std::string> words{arguments.words};
    if (words.empty()) return usage_error("there is no word to complete, not even an empty one");
    auto options = session_options(global_options_in(words.first(words.size() - 1)));
    if (!options) return std::unexpected(std::move(options.error()));
    // The daemon that is asked is the one that the words are for.
    Session of_words{std::move(*options), session.streams()};
    DaemonKnowledge knowledge{of_words};
    print(session.out(), complete(words, Place::command_line, knowledge));
    return {};
}

}  // namespace rta::rtactl
