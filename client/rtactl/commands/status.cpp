// SPDX-License-Identifier: MIT
#include <array>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "rtactl/context/context.h"
#include "rtactl/drawing/status_page.h"
#include "rtactl/drawing/text_table.h"

namespace rta::rtactl::commands {

namespace {

/// Prints the commands that a new user needs next.
void print_next_commands(Context& context, bool graph_is_empty) {
    static constexpr std::array<std::string_view, 3> kFirst{"play", "graph load", "types"};
    static constexpr std::array<std::string_view, 3> kLater{"list", "graph show", "meter"};
    TextTable table;
    for (const std::string_view name : graph_is_empty ? std::span<const std::string_view>{kFirst} : kLater) {
        const Command* command = context.commands().find(name);
        if (command == nullptr) continue;
        const std::string_view example = command->example.substr(0, command->example.find('\n'));
        table.add({std::string{example}, std::string{command->help}}, Style::secondary);
    }
    table.add({"rtactl --help", "List all commands."}, Style::secondary);
    context.out() << '\n';
    table.print(context.out(), 2);
}

Result<void> run_status(Context& context, const Arguments& arguments) {
    v1::Request request;
    request.mutable_get_status();
    const auto response = context.query(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (context.json()) return {};
    if (arguments.has("--summary")) {
        print_summary(context.out(), response->get_status());
        print_next_commands(context, response->get_status().engine().node_count() == 0);
    } else {
        print_status(context.out(), response->get_status(), arguments.has("--verbose"));
    }
    return {};
}

constexpr std::array kStatusOptions{
    Option{"--verbose", "", "Also show the id of the instance and the number of plans."},
    Option{"--summary", "", "Show the most important lines only, and commands to start with, as `rtactl` alone does."}};

}  // namespace

extern constinit const Command kStatus = checked({
    .position = 100,
    .name = "status",
    .help = "Show the device, its latency, the real-time privileges granted, and the engine.",
    .example = "rtactl status\n"
               "rtactl status --summary",
    .options = kStatusOptions,
    .run = run_status,
});

}  // namespace rta::rtactl::commands
