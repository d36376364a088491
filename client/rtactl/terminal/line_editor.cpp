// SPDX-License-Identifier: MIT
#include "rtactl/terminal/line_editor.h"

#include <histedit.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill is POSIX
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <sstream>
#include <utility>

#include "rtactl/drawing/picture.h"
#include "rtactl/drawing/text_table.h"
#include "rtactl/terminal/history.h"
#include "text/display_width.h"
#include "text/utf8.h"

namespace rta::rtactl {

/// State of libedit, also passed to its callbacks.
struct LineEditor::Library {
    ::History* history;
    HistEvent event{};
    EditLine* line;
    std::string prompt{};
    const Complete* complete = nullptr;
    bool used = false;
};

namespace {

/// Limit of the list, so that it does not fill the terminal.
constexpr std::size_t kRowsShown = 30;

/// Lists candidates in columns, sorted downwards as by ls.
std::string in_columns(std::span<const Candidate> candidates, std::size_t columns) {
    std::size_t widest = 0;
    for (const Candidate& candidate : candidates) widest = std::max(widest, display_width(candidate.text));
    const std::size_t across = std::max<std::size_t>(columns / (widest + 2), 1);
    const std::size_t rows = (candidates.size() + across - 1) / across;
    const std::size_t rows_shown = std::min(rows, kRowsShown);
    TextTable table;
    for (std::size_t row = 0; row < rows_shown; ++row) {
        std::vector<std::string> cells;
        for (std::size_t i = row; i < candidates.size(); i += rows) cells.push_back(candidates[i].text);
        table.add(std::move(cells));
    }
    std::ostringstream text;
    table.print(text);
    if (rows_shown < rows) text << "... of " << candidates.size() << '\n';
    return text.str();
}

/// Lists candidates with their help, if there is room.
std::string listing(std::span<const Candidate> candidates) {
    const std::size_t columns = terminal_columns(STDOUT_FILENO);
    const bool explained = std::ranges::any_of(candidates, [](const auto& one) { return !one.help.empty(); });
    if (!explained || candidates.size() > kRowsShown) return in_columns(candidates, columns);
    TextTable table;
    for (const Candidate& candidate : candidates) table.add({candidate.text, candidate.help});
    std::ostringstream text;
    table.print(text);
    std::istringstream lines{text.str()};
    std::string fitting;
    for (std::string line; std::getline(lines, line);) fitting.append(fitting_prefix(line, columns - 1)).append("\n");
    return fitting;
}

// ---------------------------------------------------------------------------------------------------------------------
// Callbacks of libedit

LineEditor::Library& library_of(EditLine* line) {
    LineEditor::Library* library = nullptr;
    ::el_get(line, EL_CLIENTDATA, &library);
    return *library;
}

char* prompt_of(EditLine* line) { return library_of(line).prompt.data(); }

unsigned char on_tab(EditLine* line, int) {
    const LineInfo* const typed = ::el_line(line);
    const std::string_view front{typed->buffer, static_cast<std::size_t>(typed->cursor - typed->buffer)};
    const LineCompletion completion = (*library_of(line).complete)(front);
    if (!completion.shown.empty()) {
        std::fputs(("\n" + listing(completion.shown)).c_str(), stdout);
        return CC_REDISPLAY;  // below the list
    }
    if (completion.inserted.empty()) return CC_REFRESH_BEEP;
    // libedit counts characters, not bytes.
    const std::size_t characters = character_count(front.substr(front.size() - completion.erased));
    ::el_deletestr(line, static_cast<int>(characters));
    ::el_insertstr(line, completion.inserted.c_str());
    return CC_REFRESH;
}

unsigned char on_unknown_key(EditLine*, int) { return CC_NORM; }

void bind_key(EditLine* line, const std::string& key, const char* command) {
    ::el_set(line, EL_BIND, key.c_str(), command, nullptr);
}

/// Binds the keys that terminals send as a sequence (xterm's control sequences, "PC-style function keys"). libedit
/// would insert the end of an unknown sequence as text.
void bind_sequences(EditLine* line) {
    constexpr const char* kIgnored = "rtactl-ignore-key";
    constexpr int kHighestFunctionKey = 34;  // F20
    for (int key = 1; key <= kHighestFunctionKey; ++key) bind_key(line, "\\e[" + std::to_string(key) + "~", kIgnored);
    for (int modifiers = 2; modifiers <= 16; ++modifiers) {
        const std::string held = ";" + std::to_string(modifiers);
        for (int key = 1; key <= kHighestFunctionKey; ++key)
            bind_key(line, "\\e[" + std::to_string(key) + held + "~", kIgnored);
        for (const char key : std::string_view{"ABCDEFHPQRS"}) bind_key(line, "\\e[1" + held + key, kIgnored);
    }
    for (const char key : std::string_view{"PQRS"}) bind_key(line, std::string{"\\eO"} + key, kIgnored);
    for (const char* other : {"\\e[200~", "\\e[201~", "\\e[Z", "\\e[E"}) bind_key(line, other, kIgnored);

    bind_key(line, "\\e[1;5C", "em-next-word");
    bind_key(line, "\\e[1;5D", "ed-prev-word");
    bind_key(line, "\\e[3~", "ed-delete-next-char");
    for (const char* home : {"\\e[1~", "\\e[7~"}) bind_key(line, home, "ed-move-to-beg");
    for (const char* end : {"\\e[4~", "\\e[8~"}) bind_key(line, end, "ed-move-to-end");
}

unsigned char on_stop(EditLine*, int) {
    ::kill(::getpid(), SIGTSTP);  // libedit restores the terminal first
    return CC_REDISPLAY;
}

void bind_keys(EditLine* line) {
    ::el_set(line, EL_EDITOR, "emacs");
    bind_sequences(line);
    ::el_set(line, EL_BIND, "^I", "rtactl-complete", nullptr);
    ::el_set(line, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    // During editing, Ctrl-C clears the line and Ctrl-Z stops rtactl. At other times they send signals as usual.
    ::el_set(line, EL_SETTY, "-d", "-isig", nullptr);
    ::el_set(line, EL_BIND, "^C", "em-kill-line", nullptr);
    ::el_set(line, EL_BIND, "^Z", "rtactl-stop", nullptr);
}

}  // namespace

LineEditor::LineEditor(std::span<const std::string> earlier_lines) {
    // libedit counts columns by the locale; names and files are UTF-8 in any locale.
    std::setlocale(LC_CTYPE, "C.UTF-8");  // NOLINT(concurrency-mt-unsafe): rtactl is single-threaded
    library_ = std::make_unique<Library>(
        Library{.history = ::history_init(), .line = ::el_init("rtactl", stdin, stdout, stderr)});
    Library& library = *library_;
    ::history(library.history, &library.event, H_SETSIZE, static_cast<int>(History::kMaximumLines));
    ::history(library.history, &library.event, H_SETUNIQUE, 1);
    for (const std::string& line : earlier_lines) ::history(library.history, &library.event, H_ENTER, line.c_str());

    ::el_set(library.line, EL_CLIENTDATA, library_.get());
    ::el_set(library.line, EL_PROMPT, prompt_of);
    ::el_set(library.line, EL_HIST, &::history, library.history);
    // libedit handles a change of the window size, Ctrl-Z, and signals that end the program.
    ::el_set(library.line, EL_SIGNAL, 1);
    ::el_set(library.line, EL_ADDFN, "rtactl-complete", "Complete the word at the cursor", on_tab);
    ::el_set(library.line, EL_ADDFN, "rtactl-ignore-key", "Do nothing", on_unknown_key);
    ::el_set(library.line, EL_ADDFN, "rtactl-stop", "Stop the program", on_stop);
    bind_keys(library.line);
    ::el_source(library.line, nullptr);  // ~/.editrc of the user
}

LineEditor::~LineEditor() {
    ::el_end(library_->line);
    ::history_end(library_->history);
}

std::optional<std::string> LineEditor::read(const std::string& prompt, const Complete& complete) {
    Library& library = *library_;
    library.prompt = prompt;
    library.complete = &complete;
    // Disables echo before libedit shows the prompt, so that fast typing is not echoed by the terminal.
    ::el_set(library.line, EL_PREP_TERM, 1);
    // Erases what the terminal echoed during the last command, such as ^C. libedit does not notice a change of the
    // window size between calls.
    if (std::exchange(library.used, true)) std::fputs("\r\x1b[K", stdout);
    ::el_resize(library.line);
    int length = 0;
    const char* const typed = ::el_gets(library.line, &length);
    if (typed == nullptr || length <= 0) return std::nullopt;
    std::string text{typed, static_cast<std::size_t>(length)};
    if (text.ends_with('\n')) text.pop_back();
    if (text.find_first_not_of(" \t") != std::string::npos)
        ::history(library.history, &library.event, H_ENTER, text.c_str());
    return text;
}

}  // namespace rta::rtactl
