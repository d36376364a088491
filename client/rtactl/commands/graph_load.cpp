// SPDX-License-Identifier: MIT
#include <array>
#include <string>
#include <utility>

#include "document/document.h"
#include "rtactl/context/document_file.h"
#include "rtactl/drawing/wording.h"
#include "text/quoting.h"

namespace rta::rtactl::commands {

namespace {

/// Returns the revision at which the document was saved, if this instance of the daemon still counts from it. A document
/// that cannot be read is refused by the daemon.
Result<std::optional<std::uint64_t>> saved_revision(Context& context, const DocumentFile& file) {
    const auto document = read_document(file.text);
    if (!document || !document->origin.revision || document->origin.instance.empty()) return std::nullopt;
    const auto instance = context.instance();
    if (!instance) return std::unexpected(instance.error());
    return *instance == document->origin.instance ? document->origin.revision : std::nullopt;
}

/// "uid 1000 (client \"rtactl\")"
std::string author_text(const v1::Conflict& conflict) {
    std::string text = conflict.author().empty() ? "an unknown author" : conflict.author();
    if (!conflict.client_name().empty()) text += " (client " + quoted(conflict.client_name()) + ")";
    return text;
}

/// Explains the refusal of a document that is behind. Leaves other errors unchanged.
Failure explained(Failure failure, std::optional<std::uint64_t> saved) {
    if (!saved || !failure.response || !failure.response->status().has_conflict()) return failure;
    const v1::Conflict& conflict = failure.response->status().conflict();
    if (conflict.revision() <= *saved) return failure;
    failure.sentence = "the document is " + counted(conflict.revision() - *saved, "revision") +
                       " behind: it was saved at revision " + std::to_string(*saved) +
                       ", and the graph is at revision " + std::to_string(conflict.revision()) + ", last changed by " +
                       author_text(conflict) + "; to replace the graph nevertheless, use --force";
    return failure;
}

Result<void> run_graph_load(Context& context, const Arguments& arguments) {
    auto file = read_document_file(context, arguments.words[0]);
    if (!file) return std::unexpected(std::move(file.error()));
    v1::ApplyTransaction transaction;
    std::optional<std::uint64_t> saved;
    if (!arguments.has("--force") && !context.edit_options.expected_revision) {
        auto revision = saved_revision(context, *file);
        if (!revision) return std::unexpected(std::move(revision.error()));
        saved = *revision;
    }
    if (saved) transaction.mutable_guard()->set_expected_revision(*saved);
    transaction.set_document(std::move(file->text));
    auto applied = context.apply(std::move(transaction), {{"loaded " + file->name}}, file->name);
    if (!applied) return in_document(*file, explained(std::move(applied.error()), saved));
    context.print_undo_hint();
    return {};
}

constexpr auto kGraphLoadOptions = with_edit_options(
    std::array{Option{"--force", "", "Load the document also if the graph has changed since the document was saved."}});

}  // namespace

extern constinit const Command kGraphLoad = checked({
    .position = 430,
    .name = "graph load",
    .arguments = {Argument{"FILE", Expects::file}},
    .help = "Replace the graph with the document in a file (- for the standard input).",
    .details =
        "Nodes with the same name, type and settings continue without interruption. Parameters that the document\n"
        "omits are set to their defaults. A document of `rtactl graph save` is refused if the graph has had another\n"
        "revision since, unless rtad was started again in the meantime. With --expect, the given revision counts\n"
        "instead of that of the document.",
    .example = "rtactl graph load chain.json\n"
               "rtactl graph load --dry-run chain.json",
    .options = kGraphLoadOptions,
    .run = run_graph_load,
});

}  // namespace rta::rtactl::commands
