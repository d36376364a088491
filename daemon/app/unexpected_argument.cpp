// SPDX-License-Identifier: MIT
#include "app/unexpected_argument.h"

#include <CLI/CLI.hpp>
#include <string_view>
#include <vector>

#include "text/quoting.h"
#include "text/suggestion.h"

namespace rta::app {
namespace {

/// Returns the long names of the options as they are written: "--device".
std::vector<std::string> options_of(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* const option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
}

std::string unknown_option(std::string_view argument, const CLI::App& command, std::string_view of) {
    const std::string_view name = argument.substr(0, argument.find('='));
    const std::vector<std::string> names = options_of(command);
    const std::vector<std::string_view> known{names.begin(), names.end()};
    std::string sentence = "unknown option " + quoted(name) + std::string{of};
    if (const std::string_view closest = closest_name(name, known); !closest.empty())
        sentence += "; did you mean " + quoted(closest) + "?";
    return sentence;
}

}  // namespace

std::string unexpected_argument(const CLI::App& app) {
    const std::vector<std::string> remaining = app.remaining(true);
    const std::string& argument = remaining.front();
    const auto commands = app.get_subcommands();
    const bool is_option = argument.starts_with('-') && argument.size() > 1;
    if (!commands.empty()) {
        const CLI::App& command = *commands.front();
        if (is_option) return unknown_option(argument, command, " of rtad " + command.get_name());
        return "rtad " + command.get_name() + " does not expect the argument " + quoted(argument);
    }
    if (is_option) return unknown_option(argument, app, {});
    std::vector<std::string_view> known;
    for (const CLI::App* const command : app.get_subcommands({})) known.emplace_back(command->get_name());
    return unknown_name("command", argument, known);
}

}  // namespace rta::app
