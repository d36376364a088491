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

class Context;

/// Kind of a word of a command, which determines the candidates of completion.
enum class Expects : std::uint8_t {
    text,              ///< free text: a new name, a number, an address
    type,              ///< a node type
    chain_link,        ///< TYPE:p=v,...
    type_value,        ///< p=v, of the type that the first word names
    node,              ///< the name of a node
    muted_node,        ///< a node with the parameter `mute`
    bypassed_node,     ///< a node with the parameter `bypass`
    meter_node,        ///< a node that reports levels or gain reduction
    node_value,        ///< NODE[.PARAM]
    node_assignment,   ///< NODE.PARAM=VALUE
    condition,         ///< the words of a condition; see condition.h
    output,            ///< NODE or NODE:PORT with an output
    topic_or_output,   ///< one of Argument::choices, or such an output
    input,             ///< NODE or NODE:PORT with an input
    connected_output,  ///< an output at which a connection starts
    connected_input,   ///< an input that is connected to the output in the previous word
    connection_value,  ///< gain_db=v
    volume,            ///< v, +=v or -=v
    on_off,            ///< on or off
    choice,            ///< one of Argument::choices
    command,           ///< the words of a command
    file,              ///< a path
    scene,             ///< the name of a scene
    role,              ///< read, control or admin
    host,              ///< a host that the configuration file names, or an address
};

/// An option of a command, or a global one.
struct Option {
    std::string_view name;        ///< "--ramp", "-q"
    std::string_view value_name;  ///< "MS"; empty for a flag
    std::string_view help;        ///< one sentence
    Expects expects = Expects::text;
    bool of_host = false;   ///< of the connection to a host, and so a key of a host in the configuration file
    bool of_edits = false;  ///< of every command that edits the graph; the list of commands shows it once
};

inline constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

/// One argument of a command, or a repeated one.
struct Argument {
    std::string_view name;  ///< "TYPE", as the help shows it; empty: not used
    Expects expects = Expects::text;
    std::size_t minimum = 1;  ///< 0: optional
    std::size_t maximum = 1;
    std::span<const std::string_view> choices = {};
};
inline constexpr std::size_t kMaximumArguments = 5;

/// The words and options given to a command.
struct Arguments {
    std::vector<std::string> words;
    std::map<std::string, std::string, std::less<>> options{};  ///< a flag has an empty value

    [[nodiscard]] bool has(std::string_view option) const { return options.contains(option); }
    [[nodiscard]] std::optional<std::string_view> value(std::string_view option) const {
        const auto found = options.find(option);
        return found == options.end() ? std::nullopt : std::optional<std::string_view>{found->second};
    }
};

/// Where a command is accepted.
enum class Place : std::uint8_t {
    anywhere,
    command_line,
    shell,
    program,  ///< on the command line, for programs; the help does not list it
};

/// How a command behaves between `begin` and `commit`.
enum class InTransaction : std::uint8_t {
    collected,  ///< its edits are added to the transaction
    refused,    ///< it is not allowed there
    control,    ///< it controls the transaction or the shell, and works as usual
    shows,      ///< it shows the graph with the edits of the transaction
};

/// One command: everything that the command line, the shell, the help and completion need to know about it. Each is
/// defined in a separate file in rtactl/commands, together with its code.
struct Command {
    using Run = Result<void> (*)(Context&, const Arguments&);

    /// Rank in the help, in ascending order; unique. The gaps leave room for new commands.
    int position;
    std::string_view name;                                ///< "graph save"
    std::array<Argument, kMaximumArguments> arguments{};  ///< unused ones come last
    std::string_view help;                                ///< one sentence, in the imperative
    std::string_view details = "";                        ///< more text for the page of the command; may be empty
    std::string_view example;                             ///< one or more lines
    std::span<const Option> options = {};
    Place place = Place::anywhere;
    InTransaction in_transaction = InTransaction::refused;
    bool connects =
        true;  ///< to a daemon, so that the options, the environment and the configuration file must name one
    Run run;

    [[nodiscard]] constexpr std::size_t minimum_words() const {
        std::size_t minimum = 0;
        for (const Argument& argument : arguments) minimum += argument.name.empty() ? 0 : argument.minimum;
        return minimum;
    }
    [[nodiscard]] constexpr std::size_t maximum_words() const {
        std::size_t maximum = 0;
        for (const Argument& argument : arguments) {
            if (argument.name.empty()) continue;
            if (argument.maximum == kUnlimited) return kUnlimited;
            maximum += argument.maximum;
        }
        return maximum;
    }
    /// The argument to which the word at `index` belongs; nullptr if the command takes fewer words.
    [[nodiscard]] const Argument* argument_at(std::size_t index) const;
};

/// "TYPE NAME [p=v...]", as the help shows it.
[[nodiscard]] std::string arguments_text(const Command& command);

constexpr bool well_formed(const Command& command) {
    if (command.name.empty() || command.example.empty() || command.run == nullptr) return false;
    if (!command.help.ends_with('.')) return false;
    for (std::size_t i = 0; i < kMaximumArguments; ++i) {
        const Argument& argument = command.arguments[i];
        if (argument.name.empty()) continue;
        if (argument.maximum == 0 || argument.minimum > argument.maximum) return false;
        const bool chooses = argument.expects == Expects::choice || argument.expects == Expects::topic_or_output;
        if (chooses != !argument.choices.empty()) return false;
        // An argument cannot follow an unused one, nor one that takes all remaining words.
        if (i > 0 && (command.arguments[i - 1].name.empty() || command.arguments[i - 1].maximum == kUnlimited))
            return false;
    }
    for (const Option& option : command.options) {
        const bool is_short = option.name.size() == 2 && option.name[0] == '-' && option.name[1] != '-';
        if (!(is_short || option.name.starts_with("--")) || !option.help.ends_with('.')) return false;
    }
    return true;
}

/// Rejects a malformed command at compile time.
consteval Command checked(const Command& command) {
    if (!well_formed(command)) throw "malformed command";
    return command;
}

}  // namespace rta::rtactl
