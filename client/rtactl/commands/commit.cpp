// SPDX-License-Identifier: MIT
#include <utility>

#include "rtactl/context/context.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_commit(Context& context, const Arguments&) {
    if (!context.transaction()) return usage_error("no transaction to commit: write begin first");
    PendingTransaction transaction = std::move(*std::exchange(context.transaction(), std::nullopt));
    if (transaction.refused_line != 0) {
        return fail(Exit::refused, "transaction refused because of line " + std::to_string(transaction.refused_line) +
                                       ", " + transaction.line_text(transaction.refused_line) + "; no change was made");
    }
    EditOptions& options = context.edit_options;
    if (!options.expected_revision) options.expected_revision = transaction.options.expected_revision;
    options.dry_run = options.dry_run || transaction.options.dry_run;
    if (!options.at) options.at = transaction.options.at;
    if (!options.max_load) options.max_load = transaction.options.max_load;
    if (!options.confirm_within_s) options.confirm_within_s = transaction.options.confirm_within_s;
    if (options.at && options.confirm_within_s)
        return usage_error("--at and --confirm-within: expected one of the two");
    auto edited = context.edit(std::move(transaction.edits), std::move(transaction.done));
    if (edited) return {};
    Failure failure = std::move(edited.error());
    if (failure.edit_index && *failure.edit_index < transaction.lines.size()) {
        failure.line = transaction.lines[*failure.edit_index];
        failure.sentence = transaction.line_text(failure.line) + ": " + failure.sentence;
    }
    if (failure.exit == Exit::refused && !failure.committed) failure.sentence += "; no change was made";
    return std::unexpected(std::move(failure));
}

}  // namespace

extern constinit const Command kCommit = checked({
    .position = 620,
    .name = "commit",
    .help = "Apply the edits since begin: all, or none.",
    .example = "commit",
    .options = kEditOptions,
    .place = Place::shell,
    .in_transaction = InTransaction::control,
    .run = run_commit,
});

}  // namespace rta::rtactl::commands
