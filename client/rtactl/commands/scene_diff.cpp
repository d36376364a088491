// SPDX-License-Identifier: MIT
#include <ostream>
#include <utility>

#include "rtactl/context/context.h"
#include "rtactl/drawing/edit_text.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_scene_diff(Context& context, const Arguments& arguments) {
    v1::Request request;
    request.mutable_get_scene()->set_name(arguments.words[0]);
    request.mutable_get_scene()->set_with_diff(true);
    const auto response = context.query(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (!context.json()) print_transaction(context.out(), "scene " + arguments.words[0], response->get_scene().diff());
    return {};
}

}  // namespace

extern constinit const Command kSceneDiff = checked({
    .position = 395,
    .name = "scene diff",
    .arguments = {Argument{"NAME", Expects::scene}},
    .help = "Show the difference between the running graph and a scene.",
    .details =
        "Prints the commands with which a recall would change the graph, one per line, for `rtactl shell`; or a comment\n"
        "if nothing differs. The exit status is 0 in either case.",
    .example = "rtactl scene diff night",
    .run = run_scene_diff,
});

}  // namespace rta::rtactl::commands
