// SPDX-License-Identifier: MIT
#include <array>
#include <ostream>
#include <utility>

#include "rta/requests.h"
#include "rtactl/context/context.h"
#include "rtactl/drawing/wording.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_scene_save(Context& context, const Arguments& arguments) {
    std::vector<std::string> nodes{arguments.words.begin() + 1, arguments.words.end()};
    if (arguments.has("--only") && nodes.empty())
        return usage_error("scene save: --only needs the names of nodes; without it, the whole graph is saved");
    if (!arguments.has("--only") && !nodes.empty())
        return usage_error("scene save: to save only some nodes, write --only before their names");
    const auto response = context.change(client::save_scene_request(arguments.words[0], std::move(nodes)));
    if (!response) return std::unexpected(response.error());
    const v1::SceneInfo& scene = response->save_scene().scene();
    if (!context.json()) {
        context.out() << "saved scene " << scene.name() << ": " << counted(scene.node_count(), "node")
                      << (scene.partial() ? " of the graph" : "") << '\n';
    }
    return {};
}

constexpr std::array kSceneSaveOptions{
    Option{"--only", "", "Save only the nodes that are named, and the connections between them."}};

}  // namespace

extern constinit const Command kSceneSave = checked({
    .position = 390,
    .name = "scene save",
    .arguments = {Argument{"NAME", Expects::scene}, Argument{"NODE", Expects::node, 0, kUnlimited}},
    .help = "Save the graph, or some of its nodes, as a scene.",
    .details =
        "A scene is a named copy of nodes with their parameters, and of the connections between them. A scene of the\n"
        "same name is replaced. The daemon keeps scenes; with --state-dir, also across restarts. With --only, a recall\n"
        "leaves all other nodes as they are.",
    .example = "rtactl scene save day\n"
               "rtactl scene save quiet --only vol",
    .options = kSceneSaveOptions,
    .run = run_scene_save,
});

}  // namespace rta::rtactl::commands
