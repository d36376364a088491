// SPDX-License-Identifier: MIT
#include <istream>
#include <optional>
#include <ostream>
#include <utility>

#include "rtactl/context/context.h"
#include "rtactl/context/daemon_source.h"
#include "rtactl/language/command.h"
#include "rtactl/language/lexer.h"
#include "rtactl/program.h"
#include "rtactl/terminal/history.h"
#include "rtactl/terminal/line_editor.h"

namespace rta::rtactl {

namespace {

Result<void> run_line(Session& session, std::string_view line) {
    const auto words = split_words(line);
    if (!words) return usage_error(words.error());
    if (words->empty()) return {};
    const auto invocation = parse_invocation(*words, Place::shell);
    if (!invocation) return std::unexpected(invocation.error());
    if (invocation->command == nullptr && !invocation->help) return usage_error("there is no command on this line");
    return run(session, *invocation);
}

void report(Session& session, const Failure& failure) {
    Streams& streams = session.streams();
    streams.out.flush();  // what was printed before stands before
    streams.err << "rtactl: ";
    if (!streams.interactive || failure.line != 0)
        streams.err << "line " << (failure.line != 0 ? failure.line : session.line) << ": ";
    streams.err << failure.sentence
                << std::endl;  // NOLINT(performance-avoid-endl): a log of both streams keeps their order
}

/// Where the lines come from: typed at a terminal that can be drawn on, or anything else.
class Lines {
 public:
    explicit Lines(Session& session) : session_{session} {
        const Streams& streams = session.streams();
        if (streams.interactive && streams.terminal >= 0 && !session.json()) editor_.emplace(history_.load());
    }

    bool next(std::string& line) {
        if (!(editor_ ? edit(line) : read(line))) return false;
        if (line.ends_with('\r')) line.pop_back();
        ++session_.line;
        return true;
    }

 private:
    std::string prompt() const { return session_.transaction() ? "begin> " : "rtactl> "; }

    bool edit(std::string& line) {
        session_.out().flush();
        DaemonKnowledge knowledge{session_};
        auto typed = editor_->read(prompt(), [&](std::string_view front) { return complete_line(front, knowledge); });
        if (!typed) return false;
        line = std::move(*typed);
        history_.add(line);
        return true;
    }

    bool read(std::string& line) {
        Streams& streams = session_.streams();
        if (streams.interactive && !session_.json()) streams.out << prompt();
        streams.out.flush();
        return static_cast<bool>(std::getline(streams.in, line));
    }

    Session& session_;
    History history_{history_path()};
    std::optional<LineEditor> editor_;
};

}  // namespace

Result<void> run_shell(Session& session, const Arguments&) {
    bool refused = false;
    Lines lines{session};
    std::string line;
    while (!session.quit && lines.next(line)) {
        const auto result = run_line(session, line);
        if (result) continue;
        refused = true;
        report(session, result.error());
        if (session.streams().interactive) continue;  // a person sees it and types the line again
        if (session.transaction() && session.transaction()->refused_line == 0)
            session.transaction()->refused_line = session.line;
        // No line after this one could fare better, and each would wait for as long.
        if (result.error().exit == Exit::cannot_connect) return fail(Exit::cannot_connect, "");
    }
    if (session.streams().interactive && !session.quit && !session.json()) session.out() << '\n';
    if (const auto& open = session.transaction()) {
        refused = true;
        report(session, {.exit = Exit::refused,
                         .sentence = "the transaction that begins here has no commit: nothing of it was done",
                         .line = open->begin_line});
    }
    if (refused) return fail(Exit::refused, "");
    return {};
}

Result<void> run_begin(Session& session, const Arguments&) {
    if (session.transaction()) {
        return usage_error("a transaction is open since line " + std::to_string(session.transaction()->begin_line) +
                           ": commit or abort first");
    }
    session.transaction() = PendingTransaction{.begin_line = session.line};
    return {};
}

Result<void> run_commit(Session& session, const Arguments&) {
    if (!session.transaction())
        return usage_error("there is nothing to commit: no transaction is open; write begin first");
    PendingTransaction transaction = std::move(*std::exchange(session.transaction(), std::nullopt));
    if (transaction.refused_line != 0) {
        return fail(Exit::refused, "nothing of the transaction was done: line " +
                                       std::to_string(transaction.refused_line) + " of it is wrong");
    }
    auto edited = session.edit(std::move(transaction.edits));
    if (edited) return {};
    Failure failure = std::move(edited.error());
    if (failure.edit_index && *failure.edit_index < transaction.lines.size())
        failure.line = transaction.lines[*failure.edit_index];
    if (failure.exit == Exit::refused) failure.sentence += "; nothing of the transaction was done";
    return std::unexpected(std::move(failure));
}

Result<void> run_abort(Session& session, const Arguments&) {
    if (!session.transaction()) return usage_error("there is nothing to abort: no transaction is open");
    session.transaction().reset();
    return {};
}

Result<void> run_quit(Session& session, const Arguments&) {
    session.quit = true;
    return {};
}

}  // namespace rta::rtactl
