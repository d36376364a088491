// SPDX-License-Identifier: MIT
#include <array>
#include <ostream>
#include <string>
#include <utility>

#include "rta/requests.h"
#include "rtactl/context/context.h"
#include "text/format_number.h"

namespace rta::rtactl::commands {

namespace {

/// Prints what a recall would change.
Result<void> try_recall(Context& context, const std::string& name) {
    v1::Request request;
    request.mutable_get_scene()->set_name(name);
    request.mutable_get_scene()->set_with_diff(true);
    const auto response = context.query(std::move(request));
    if (!response) return std::unexpected(response.error());
    const v1::SceneResult& scene = response->get_scene();
    const auto& expected = context.edit_options.expected_revision;
    if (expected && *expected != scene.revision()) {
        return fail(Exit::refused, "the graph is at revision " + std::to_string(scene.revision()) +
                                       ", not at the expected revision " + std::to_string(*expected));
    }
    if (!context.json()) context.print_changes(scene.revision(), scene.diff());
    return {};
}

Result<void> run_scene_recall(Context& context, const Arguments& arguments) {
    const auto fade_ms = read_milliseconds(arguments, "--fade");
    if (!fade_ms) return std::unexpected(fade_ms.error());
    const std::string& name = arguments.words[0];
    if (context.edit_options.dry_run) return try_recall(context, name);
    RecallOptions options{.fade_ms = *fade_ms, .wait_for_start = true, .at = context.edit_options.at};
    if (const auto& expected = context.edit_options.expected_revision)
        options.guard.emplace().set_expected_revision(*expected);
    v1::Request request = client::recall_scene_request(name, std::move(options));
    if (const auto& within_s = context.edit_options.confirm_within_s)
        request.mutable_recall_scene()->set_confirm_within_s(*within_s);
    if (const auto& max_load = context.edit_options.max_load) request.mutable_recall_scene()->set_max_load(*max_load);
    request.mutable_recall_scene()->set_force(arguments.has("--force"));
    const auto response = context.change(std::move(request));
    if (!response) return std::unexpected(response.error());
    const v1::RecallSceneResult& result = response->recall_scene();
    context.print_done(result.transaction(), "recalled " + name);
    if (context.json() || result.transaction().has_pending()) return {};
    if (!result.was_prepared())
        context.out() << "(the scene was not prepared: that took " << format_number(result.prepare_ms()) << " ms)\n";
    context.print_undo_hint();
    return {};
}

constexpr auto kSceneRecallOptions = with_edit_options(
    std::array{Option{"--fade", "TIME", "Set the time in which parameters and gains of connections reach the scene."},
               Option{"--force", "", "Also revert the edit of another author that waits for its confirmation."}});

}  // namespace

extern constinit const Command kSceneRecall = checked({
    .position = 391,
    .name = "scene recall",
    .arguments = {Argument{"NAME", Expects::scene}},
    .help = "Make the graph that of a scene.",
    .details =
        "Nodes with the same name, type and settings continue without interruption, and their parameters ramp to those of\n"
        "the scene: over 20 ms, or the time of --fade, up to 10 min. What is added or removed crossfades, as in any\n"
        "transaction. A recall during another one starts from the current values. It is one step for `undo`.\n"
        "\n"
        "The scenes that were used last are kept prepared, so that their recall starts immediately.",
    .example = "rtactl scene recall night\n"
               "rtactl scene recall night --fade 2s\n"
               "rtactl scene recall night --dry-run",
    .options = kSceneRecallOptions,
    .run = run_scene_recall,
});

}  // namespace rta::rtactl::commands
