// SPDX-License-Identifier: MIT
#include <ostream>

#include "rta/requests.h"
#include "rtactl/context/context.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_scene_rename(Context& context, const Arguments& arguments) {
    const auto response = context.change(client::rename_scene_request(arguments.words[0], arguments.words[1]));
    if (!response) return std::unexpected(response.error());
    if (!context.json())
        context.out() << "renamed scene " << arguments.words[0] << " to " << arguments.words[1] << '\n';
    return {};
}

}  // namespace

extern constinit const Command kSceneRename = checked({
    .position = 393,
    .name = "scene rename",
    .arguments = {Argument{"A", Expects::scene}, Argument{"B"}},
    .help = "Rename a scene.",
    .example = "rtactl scene rename night evening",
    .run = run_scene_rename,
});

}  // namespace rta::rtactl::commands
