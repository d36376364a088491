// SPDX-License-Identifier: MIT
#include "rtactl/drawing/help_page.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "frame/local_address.h"
#include "rtactl/drawing/style.h"
#include "rtactl/drawing/text_table.h"
#include "rtactl/language/edit_options.h"
#include "rtactl/language/invocation.h"

namespace rta::rtactl {

namespace {

std::string with_value(const Option& option) {
    std::string text{option.name};
    if (!option.value_name.empty()) text.append(" ").append(option.value_name);
    return text;
}

/// Whether a synopsis shows the options that all edits have.
enum class EditOptionsShown : std::uint8_t { no, yes };

std::string synopsis(const Command& command, EditOptionsShown shown = EditOptionsShown::yes) {
    std::string text{command.name};
    if (command.maximum_words() > 0) text.append(" ").append(arguments_text(command));
    for (const Option& option : command.options) {
        if (!option.of_edits || shown == EditOptionsShown::yes)
            text.append(" [").append(with_value(option)).append("]");
    }
    return text;
}

std::string joined(const std::vector<std::string_view>& words) {
    std::string text;
    for (const std::string_view word : words) text.append(text.empty() ? "" : ", ").append(word);
    return text;
}

void print_options(std::ostream& out, std::string_view title, std::span<const Option> options) {
    if (options.empty()) return;
    TextTable table;
    for (const Option& option : options) table.add({with_value(option), std::string{option.help}});
    out << '\n' << Styled{title, Style::heading} << '\n';
    table.print(out, 2);
}

void print_lines(std::ostream& out, std::string_view text) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        out << "  " << text.substr(0, end) << '\n';
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
}

void print_commands(std::ostream& out, const CommandTable& table, auto&& wanted) {
    TextTable lines;
    for (const Command* command : table.all()) {
        if (wanted(*command)) lines.add({synopsis(*command, EditOptionsShown::no), std::string{command->help}});
    }
    lines.print(out, 2);
}

std::string in_words(const std::vector<std::string_view>& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i)
        text.append(i == 0 ? "" : i + 1 == names.size() ? " and " : ", ").append(names[i]);
    return text;
}

/// The options of all edits, and the commands that have only some of them.
void print_edit_options(std::ostream& out, const CommandTable& table) {
    print_options(out, "Options of the commands that edit the graph", kEditOptions);
    std::map<std::vector<std::string_view>, std::vector<std::string_view>> commands;  // by their options
    for (const Command* command : table.all()) {
        std::vector<std::string_view> names;
        for (const Option& option : command->options) {
            if (option.of_edits) names.push_back(option.name);
        }
        if (!names.empty() && names.size() < kEditOptions.size()) commands[names].push_back(command->name);
    }
    for (const auto& [options, with_them] : commands) {
        out << "  Of these, " << in_words(with_them) << (with_them.size() == 1 ? " takes only " : " take only ")
            << in_words(options) << ".\n";
    }
}

}  // namespace

void print_help(std::ostream& out, const CommandTable& table, Place place) {
    if (place == Place::shell) {
        print_commands(out, table, [](const Command& command) {
            return command.place == Place::anywhere || command.place == Place::shell;
        });
        print_edit_options(out, table);
        return;
    }
    out << "rtactl controls rtad, the audio daemon.\n"
           "\n"
           "Usage: rtactl [OPTIONS] [COMMAND]\n"
           "\n"
        << Styled{"Commands", Style::heading} << '\n';
    print_commands(out, table, [](const Command& command) {
        return command.place == Place::anywhere || command.place == Place::command_line;
    });
    out << '\n' << Styled{"Also inside the shell", Style::heading} << '\n';
    print_commands(out, table, [](const Command& command) { return command.place == Place::shell; });
    print_edit_options(out, table);
    print_options(out, "Options", global_options());
    out << "\n"
           "Without --host and --socket, the environment variable RTACTL_HOST selects the daemon: HOST[:PORT], or the\n"
           "path of a socket. If it is not set, and the configuration file has no `host`, rtactl looks for the daemon of\n"
           "this machine, in this order, at\n";
    for (const std::string& socket : local_sockets("$RUNTIME_DIRECTORY", "$XDG_RUNTIME_DIR"))
        out << "  " << socket << '\n';
    out << "  " << default_tcp_address() << '\n';
    out << "Without --token-file and --tls-cert, the environment variable RTACTL_TOKEN_FILE names the file of an access\n"
           "token, unless the configuration file has a token or a certificate for the host.\n"
           "\n"
           "The configuration file, $XDG_CONFIG_HOME/rtactl/config.toml or ~/.config/rtactl/config.toml, names hosts:\n"
           "  host = \"studio\"                 # used unless --host, --socket or RTACTL_HOST name another\n"
           "  [hosts.studio]                  # --host studio\n"
           "  address = \"10.0.0.5:7340\"       # default: the name of the host; or the path of a socket\n"
           "  token-file = \"studio.token\"     # relative to the folder of the file\n"
           "A host may have the keys "
        << joined(host_keys())
        << ". An option given to rtactl has\npriority.\n\n"
           "Exit status: 0 done, 1 refused by the daemon (shell: any line refused), 2 usage, or a file that cannot be\n"
           "read or written, 3 cannot connect, 4 not allowed. With --json, an error is a line on stdout such as\n"
           "{\"id\":\"0\",\"status\":{\"code\":\"NOT_FOUND\",\"message\":\"...\"}}; in the shell, one for each refused line.\n"
           "\n"
           "On a terminal, the output has colours, unless the environment variable NO_COLOR is set.\n"
           "\n"
           "`rtactl` alone prints a summary of the daemon, `rtactl COMMAND --help` explains a command. Example:\n"
           "  rtactl play sine:frequency_hz=440 gain:gain_db=-12\n";
}

void print_help(std::ostream& out, const Command& command) {
    const std::string prefix = command.place == Place::shell ? "" : "rtactl ";
    out << command.help << "\n\nUsage: " << prefix << synopsis(command) << '\n';
    if (!command.details.empty()) out << '\n' << command.details << '\n';
    print_options(out, "Options", command.options);
    out << '\n'
        << Styled{std::ranges::count(command.example, '\n') > 0 ? "Examples" : "Example", Style::heading} << '\n';
    print_lines(out, command.example);
}

void print_group_help(std::ostream& out, const CommandTable& table, std::string_view group) {
    const std::string prefix = std::string{group} + " ";
    print_commands(out, table, [&](const Command& command) { return command.name.starts_with(prefix); });
}

}  // namespace rta::rtactl
