// SPDX-License-Identifier: MIT
#include "app/token_options.h"

#include <CLI/CLI.hpp>

#include "text/access_token.h"
#include "text/quoting.h"

namespace rta::app {
namespace {

using Action = TokenOptions::Action;

CLI::App& define_action(CLI::App& token, TokenOptions& options, const char* name, Action action, const char* help) {
    CLI::App& command = *token.add_subcommand(name, help);
    command.callback([&options, action] { options.action = action; });
    const auto not_empty = [](const std::string& path) {
        return path.empty() ? std::string{"empty value: expected a path"} : std::string{};
    };
    command.add_option("--tokens", options.file, "File of the access tokens")->type_name("FILE")->check(not_empty);
    command
        .add_option("--state-dir", options.state_directory, "State directory of rtad, which contains the file tokens")
        ->type_name("DIR")
        ->check(not_empty);
    return command;
}

void add_name(CLI::App& command, TokenOptions& options) {
    command.add_option("NAME", options.name, "Name of the token, the author of what its clients change")
        ->required()
        ->type_name("")
        ->check([](const std::string& name) {
            return is_token_name(name)
                       ? std::string{}
                       : "invalid token name " + quoted(name) + ": expected " + std::string{kTokenNameForm};
        });
}

void add_role(CLI::App& command, TokenOptions& options) {
    command
        .add_option_function<std::string>(
            "--role", [&options](const std::string& role) { options.role = *token_role(role); },
            "Role: read, control or admin")
        ->required()
        ->type_name("ROLE")
        ->check([](const std::string& role) {
            return token_role(role) ? std::string{}
                                    : "invalid role " + quoted(role) + ": expected read, control or admin";
        });
}

void add_expiry(CLI::App& command, TokenOptions& options) {
    command
        .add_option_function<std::string>(
            "--expires", [&options](const std::string& text) { options.lifetime_s = *parse_lifetime(text); },
            "Time until the token expires, such as 30d, 12h or 90min (default: it does not expire)")
        ->type_name("TIME")
        ->check([](const std::string& text) {
            const auto lifetime = parse_lifetime(text);
            return lifetime ? std::string{} : lifetime.error();
        });
}

}  // namespace

CLI::App* define_token(CLI::App& app, TokenOptions& options) {
    CLI::App* const token =
        app.add_subcommand("token", "Create, list or revoke access tokens while rtad does not run; see rtactl token");
    token->require_subcommand(1);
    CLI::App& create = define_action(*token, options, "new", Action::create,
                                     "Create an access token and print it, once: only a hash is kept");
    add_role(create, options);
    add_expiry(create, options);
    add_name(create, options);
    define_action(*token, options, "list", Action::list, "List the access tokens");
    add_name(define_action(*token, options, "revoke", Action::revoke, "Revoke an access token"), options);
    return token;
}

std::string conflict_of(const TokenOptions& options) {
    if (options.file.empty() == options.state_directory.empty())
        return "rtad token requires --tokens FILE or --state-dir DIR, as rtad itself uses it";
    return {};
}

}  // namespace rta::app
