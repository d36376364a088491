// SPDX-License-Identifier: MIT
#include <ostream>

#include "rta/requests.h"
#include "rtactl/context/context.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_scene_remove(Context& context, const Arguments& arguments) {
    const auto response = context.change(client::remove_scene_request(arguments.words[0]));
    if (!response) return std::unexpected(response.error());
    if (!context.json()) context.out() << "removed scene " << arguments.words[0] << '\n';
    return {};
}

}  // namespace

extern constinit const Command kSceneRemove = checked({
    .position = 394,
    .name = "scene remove",
    .arguments = {Argument{"NAME", Expects::scene}},
    .help = "Remove a scene. The graph does not change.",
    .example = "rtactl scene remove night",
    .run = run_scene_remove,
});

}  // namespace rta::rtactl::commands
