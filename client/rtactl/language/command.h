// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rtactl/language/failure.h"

namespace rta::rtactl {

class Session;

/// What may stand in some place of a command; decides what completion offers there.
enum class Expects : std::uint8_t {
    text,              ///< whatever the user likes: a new name, a number, an address
    type,              ///< of a node
    chain_link,        ///< TYPE:p=v,...
    type_value,        ///< p=v of the type that the first word names
    node,              ///< the name of one
    muted_node,        ///< one that has `mute`
    bypassed_node,     ///< one that has `bypass`
    meter_node,        ///< one of the type meter
    node_value,        ///< NODE[.PARAM]
    node_assignment,   ///< NODE.PARAM=VALUE
    output,            ///< NODE or NODE:PORT that a connection may begin at
    input,             ///< NODE or NODE:PORT that it may end at
    connected_output,  ///< one that a connection does begin at
    connected_input,   ///< one that a connection from the word before does end at
    connection_value,  ///< gain_db=v
    on_off,
    topic,           ///< of events
    command,         ///< the words of one
    terminal_shell,  ///< bash, zsh, fish
    file,
};

struct Option {
    std::string_view name;        ///< "--ramp"
    std::string_view value_name;  ///< "MS"; empty: a flag
    std::string_view help;        ///< one sentence
    Expects expects = Expects::text;
};

inline constexpr std::size_t kAnyNumber = std::numeric_limits<std::size_t>::max();

/// One argument of a command, or several of the same kind.
struct Argument {
    std::string_view name;  ///< "TYPE", as the help shows it; empty: there is none
    Expects expects = Expects::text;
    std::size_t fewest = 1;  ///< 0: it may be left out
    std::size_t most = 1;
};
inline constexpr std::size_t kMostArguments = 5;

/// What followed a command.
struct Arguments {
    std::vector<std::string> words;
    std::map<std::string, std::string, std::less<>> options{};  ///< flags with an empty value

    [[nodiscard]] bool has(std::string_view option) const { return options.contains(option); }
    [[nodiscard]] std::optional<std::string_view> value(std::string_view option) const {
        const auto found = options.find(option);
        return found == options.end() ? std::nullopt : std::optional<std::string_view>{found->second};
    }
};

/// Where a command can be given.
enum class Place : std::uint8_t {
    anywhere,
    command_line,
    shell,
    program,  ///< on the command line, by programs: no help lists it
};

/// What a command is between `begin` and `commit`.
enum class InTransaction : std::uint8_t {
    collected,  ///< its edits become part of the transaction
    refused,    ///< it cannot be part of one
    control,    ///< it is about the transaction or the shell itself, and does what it always does
};

/// One command. The table of them is all there is to know: it serves the command line, the shell, the help and the
/// completion.
struct Command {
    using Run = Result<void> (*)(Session&, const Arguments&);

    std::string_view name;                             ///< "graph save"
    std::array<Argument, kMostArguments> arguments{};  ///< in their order; the last ones are empty
    std::string_view help;                             ///< one sentence
    std::string_view details;                          ///< more, for its own page; may be empty
    std::string_view example;                          ///< one or more lines
    std::span<const Option> options = {};
    Place place = Place::anywhere;
    InTransaction in_transaction = InTransaction::refused;
    Run run;

    [[nodiscard]] constexpr std::size_t fewest_words() const {
        std::size_t fewest = 0;
        for (const Argument& argument : arguments) fewest += argument.name.empty() ? 0 : argument.fewest;
        return fewest;
    }
    [[nodiscard]] constexpr std::size_t most_words() const {
        std::size_t most = 0;
        for (const Argument& argument : arguments) {
            if (argument.name.empty()) continue;
            if (argument.most == kAnyNumber) return kAnyNumber;
            most += argument.most;
        }
        return most;
    }
    /// What its word number `index`, from 0, is; nullptr if it takes no such word.
    [[nodiscard]] const Argument* argument_at(std::size_t index) const;
};

/// "TYPE NAME [p=v...]", as the help shows it.
[[nodiscard]] std::string arguments_text(const Command& command);

/// Options that come before the command or among its arguments.
[[nodiscard]] std::span<const Option> global_options();
/// In the order in which the help shows them.
[[nodiscard]] std::span<const Command> commands();
/// nullptr if there is none.
[[nodiscard]] const Command* find_command(std::string_view name);

/// nullptr if there is none of that name.
[[nodiscard]] const Option* find_option(std::span<const Option> options, std::string_view name);
/// Whether the word is an option: it begins with - and is neither a number nor `-`.
[[nodiscard]] bool is_option(std::string_view word);
/// The first words of the commands that can be given there, each once: "status", ..., "graph".
[[nodiscard]] std::vector<std::string_view> first_words(Place place);
/// The second words of the commands that begin with `first`: "save", "load", ... of "graph".
[[nodiscard]] std::vector<std::string_view> second_words(std::string_view first);

/// What `watch` can be told to watch.
[[nodiscard]] std::vector<std::string_view> topic_names();

/// A command with what followed it.
struct Invocation {
    const Command* command = nullptr;  ///< nullptr: none was given
    Arguments arguments;
    Arguments globals;  ///< options only
    std::string group;  ///< "graph", where no second word followed it; only with `help`
    bool help = false;
};

/// Reads words against the table. Global options are refused where `place` is the shell. A word that begins with - is
/// an option unless it is a number, `-`, or follows `--`. Errors suggest what is close.
[[nodiscard]] Result<Invocation> parse_invocation(std::span<const std::string> words, Place place);

// Implementations, each in the file of its kind.
Result<void> run_status(Session& session, const Arguments& arguments);
Result<void> run_devices(Session& session, const Arguments& arguments);
Result<void> run_types(Session& session, const Arguments& arguments);
Result<void> run_get(Session& session, const Arguments& arguments);
Result<void> run_response(Session& session, const Arguments& arguments);
Result<void> run_watch(Session& session, const Arguments& arguments);
Result<void> run_top(Session& session, const Arguments& arguments);
Result<void> run_meter(Session& session, const Arguments& arguments);
Result<void> run_play(Session& session, const Arguments& arguments);
Result<void> run_insert(Session& session, const Arguments& arguments);
Result<void> run_add(Session& session, const Arguments& arguments);
Result<void> run_remove(Session& session, const Arguments& arguments);
Result<void> run_rename(Session& session, const Arguments& arguments);
Result<void> run_connect(Session& session, const Arguments& arguments);
Result<void> run_disconnect(Session& session, const Arguments& arguments);
Result<void> run_set(Session& session, const Arguments& arguments);
Result<void> run_mute(Session& session, const Arguments& arguments);
Result<void> run_unmute(Session& session, const Arguments& arguments);
Result<void> run_bypass(Session& session, const Arguments& arguments);
Result<void> run_graph_compensate(Session& session, const Arguments& arguments);
Result<void> run_panic(Session& session, const Arguments& arguments);
Result<void> run_graph_show(Session& session, const Arguments& arguments);
Result<void> run_graph_dot(Session& session, const Arguments& arguments);
Result<void> run_graph_save(Session& session, const Arguments& arguments);
Result<void> run_graph_load(Session& session, const Arguments& arguments);
Result<void> run_graph_check(Session& session, const Arguments& arguments);
Result<void> run_graph_diff(Session& session, const Arguments& arguments);
Result<void> run_graph_clear(Session& session, const Arguments& arguments);
Result<void> run_shell(Session& session, const Arguments& arguments);
Result<void> run_begin(Session& session, const Arguments& arguments);
Result<void> run_commit(Session& session, const Arguments& arguments);
Result<void> run_abort(Session& session, const Arguments& arguments);
Result<void> run_quit(Session& session, const Arguments& arguments);
Result<void> run_help(Session& session, const Arguments& arguments);
Result<void> run_completion(Session& session, const Arguments& arguments);
Result<void> run_complete(Session& session, const Arguments& arguments);

}  // namespace rta::rtactl
