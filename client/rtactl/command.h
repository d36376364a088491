// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rtactl/failure.h"

namespace rta::rtactl {

class Session;

struct Option {
    std::string_view name;        ///< "--ramp"
    std::string_view value_name;  ///< "MS"; empty: a flag
    std::string_view help;        ///< one sentence
};

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
enum class Place : std::uint8_t { anywhere, command_line, shell };

/// What a command is between `begin` and `commit`.
enum class InTransaction : std::uint8_t {
    collected,  ///< its edits become part of the transaction
    refused,    ///< it cannot be part of one
    control,    ///< it is about the transaction or the shell itself, and does what it always does
};

inline constexpr std::size_t kAnyNumber = std::numeric_limits<std::size_t>::max();

/// One command. The table of them is all there is to know: it serves the command line, the shell and the help.
struct Command {
    using Run = Result<void> (*)(Session&, const Arguments&);

    std::string_view name;       ///< "graph save"
    std::string_view arguments;  ///< "TYPE NAME [p=v...]", as the help shows them
    std::string_view help;       ///< one sentence
    std::string_view details;    ///< more, for its own page; may be empty
    std::string_view example;    ///< one or more lines
    std::span<const Option> options = {};
    std::size_t fewest_words = 0;
    std::size_t most_words = 0;
    Place place = Place::anywhere;
    InTransaction in_transaction = InTransaction::refused;
    Run run;
};

/// Options that come before the command or among its arguments.
[[nodiscard]] std::span<const Option> global_options();
/// In the order in which the help shows them.
[[nodiscard]] std::span<const Command> commands();
/// nullptr if there is none.
[[nodiscard]] const Command* find_command(std::string_view name);

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
Result<void> run_panic(Session& session, const Arguments& arguments);
Result<void> run_graph_show(Session& session, const Arguments& arguments);
Result<void> run_graph_dot(Session& session, const Arguments& arguments);
Result<void> run_graph_save(Session& session, const Arguments& arguments);
Result<void> run_graph_load(Session& session, const Arguments& arguments);
Result<void> run_graph_check(Session& session, const Arguments& arguments);
Result<void> run_graph_clear(Session& session, const Arguments& arguments);
Result<void> run_shell(Session& session, const Arguments& arguments);
Result<void> run_begin(Session& session, const Arguments& arguments);
Result<void> run_commit(Session& session, const Arguments& arguments);
Result<void> run_abort(Session& session, const Arguments& arguments);
Result<void> run_quit(Session& session, const Arguments& arguments);
Result<void> run_help(Session& session, const Arguments& arguments);

}  // namespace rta::rtactl
