// SPDX-License-Identifier: MIT
#include <ostream>

#include "rta/requests.h"
#include "rtactl/context/context.h"
#include "rtactl/drawing/text_table.h"
#include "text/access_token.h"

namespace rta::rtactl::commands {

namespace {

void print_scenes(std::ostream& out, const v1::ScenesResult& scenes) {
    if (scenes.scenes_size() == 0) {
        out << "no scenes are saved\n";
        return;
    }
    TextTable table;
    table.heading({"NAME", "NODES", "SCOPE", "PREPARED", "SAVED", "AUTHOR"});
    for (const v1::SceneInfo& scene : scenes.scenes()) {
        table.add({scene.name(), std::to_string(scene.node_count()), scene.partial() ? "some nodes" : "graph",
                   scene.prepared() ? "yes" : "no", utc_text(scene.utc_us() / 1'000'000), scene.author()});
    }
    table.print(out);
}

Result<void> run_scene_list(Context& context, const Arguments&) {
    const auto response = context.query(client::scenes_request());
    if (!response) return std::unexpected(response.error());
    if (!context.json()) print_scenes(context.out(), response->list_scenes());
    return {};
}

}  // namespace

extern constinit const Command kSceneList = checked({
    .position = 392,
    .name = "scene list",
    .help = "List the scenes.",
    .details = "The processors that the recall of a prepared scene needs are built already.",
    .example = "rtactl scene list",
    .run = run_scene_list,
});

}  // namespace rta::rtactl::commands
