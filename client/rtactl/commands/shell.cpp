// SPDX-License-Identifier: MIT
#include <istream>
#include <optional>
#include <ostream>

#include "rtactl/context/daemon_completion.h"
#include "rtactl/context/dispatch.h"
#include "rtactl/context/error_report.h"
#include "rtactl/language/lexer.h"
#include "rtactl/terminal/history.h"
#include "rtactl/terminal/line_completion.h"
#include "rtactl/terminal/line_editor.h"
#include "text/quantity.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_line(Context& context, std::string_view line) {
    const auto words = split_words(line);
    if (!words) return usage_error(words.error());
    if (words->empty()) return {};
    const auto invocation = parse_invocation(context.commands(), *words, Place::shell);
    if (!invocation) return std::unexpected(invocation.error());
    if (invocation->command == nullptr && !invocation->help) return usage_error("missing command");
    return dispatch(context, *invocation);
}

void report_line(Context& context, const Failure& failure) {
    const std::size_t line = failure.line != 0 ? failure.line : context.line;
    const bool shown = !context.streams().interactive || failure.line != 0;
    report(context.streams(), context.json(), failure, shown ? "line " + std::to_string(line) + ": " : "");
}

/// Reads lines: with the line editor on a terminal, else from the input stream.
class Lines {
 public:
    explicit Lines(Context& context) : context_{context} {
        const Streams& streams = context.streams();
        if (streams.interactive && streams.terminal >= 0 && !context.json()) editor_.emplace(history_.load());
    }

    bool next(std::string& line) {
        if (!(editor_ ? edit(line) : read(line))) return false;
        if (line.ends_with('\r')) line.pop_back();
        ++context_.line;
        return true;
    }

 private:
    std::string prompt() const { return context_.transaction() ? "begin> " : "rtactl> "; }

    bool edit(std::string& line) {
        context_.out().flush();
        DaemonCompletion source{context_};
        auto typed = editor_->read(
            prompt(), [&](std::string_view front) { return complete_line(context_.commands(), front, source); });
        if (!typed) return false;
        line = std::move(*typed);
        history_.add(line);
        return true;
    }

    bool read(std::string& line) {
        Streams& streams = context_.streams();
        if (streams.interactive && !context_.json()) streams.out << prompt();
        streams.out.flush();
        return static_cast<bool>(std::getline(streams.in, line));
    }

    Context& context_;
    History history_{history_path()};
    std::optional<LineEditor> editor_;
};

std::string_view first_word(std::string_view line) { return line.substr(0, line.find_first_of(" \t")); }

Result<void> run_shell(Context& context, const Arguments&) {
    bool refused = false;
    Lines lines{context};
    std::string line;
    while (!context.quit && lines.next(line)) {
        context.line_text = trimmed(line);
        const auto result = run_line(context, line);
        if (result) continue;
        refused = true;
        report_line(context, result.error());
        if (context.streams().interactive) continue;  // the user can correct the line
        // What follows a begin that was refused must not be applied line by line.
        if (!context.transaction() && first_word(context.line_text) == "begin")
            context.transaction() = PendingTransaction{.begin_line = context.line};
        if (context.transaction() && context.transaction()->refused_line == 0) {
            context.transaction()->refused_line = context.line;
            context.transaction()->texts.emplace(context.line, context.line_text);
        }
        // All following lines would fail in the same way, each after the full timeout.
        if (result.error().exit == Exit::cannot_connect) return fail(Exit::cannot_connect, "");
    }
    if (context.streams().interactive && !context.quit && !context.json()) context.out() << '\n';
    if (const auto& open = context.transaction()) {
        refused = true;
        report_line(context, {.exit = Exit::refused,
                              .sentence = "the transaction started here was not committed; no change was made",
                              .line = open->begin_line});
    }
    if (refused) return fail(Exit::refused, "");
    return {};
}

}  // namespace

extern constinit const Command kShell = checked({
    .position = 600,
    .name = "shell",
    .help = "Run commands from the standard input, one per line.",
    .details =
        "The lines between begin and commit are one transaction, applied as a whole or not at all. Blank lines and\n"
        "text after a # are ignored. A refused line is reported with its number; the following lines still run,\n"
        "and the exit status is 1.",
    .example = "rtactl shell\n"
               "printf 'begin\\nremove osc\\nadd sine osc\\ncommit\\n' | rtactl shell",
    .place = Place::command_line,
    .run = run_shell,
});

}  // namespace rta::rtactl::commands
