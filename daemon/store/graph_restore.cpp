// SPDX-License-Identifier: MIT
#include "store/graph_restore.h"

#include <new>
#include <utility>
#include <vector>

#include "store/digest.h"
#include "store/history_file.h"

namespace rta::store {
namespace {

/// Returns whether loading failed because of what was saved, rather than of the state of the machine.
bool is_damage(const Error& error) {
    return error.code != ErrorCode::unavailable && error.code != ErrorCode::resource_exhausted;
}

}  // namespace

Expected<GraphRestore::Result> GraphRestore::run() {
    if (auto restored = restore_graph(); !restored) return std::unexpected(std::move(restored.error()));
    if (auto restored = restore_output(); !restored) {
        end();  // the graph did not cause this failure
        return std::unexpected(std::move(restored.error()));
    }
    return std::move(result_);
}

Expected<void> GraphRestore::restore_graph() {
    SavedGraph saved;
    auto text = read_saved();
    if (text) saved.text = std::move(*text);
    if (text) {
        if (auto found = find_journal(saved); !found) return found;
    }
    auto replayed = replay_journal(saved);
    if (text && !saved.text && !replayed) {
        folder_.end_restore();
        return {};
    }
    Expected<void> loaded;
    if (!text) {
        loaded = std::unexpected(text.error());
    } else if (replayed) {
        loaded = load_replayed(saved, std::move(*replayed));
    } else {
        loaded = load_saved(*saved.text);
    }
    if (loaded) {
        result_.graph = Graph::loaded;
        result_.has_graph_file = saved.text.has_value();
        if (loaders_.load_history && !replayed) find_history(saved);
        if (loaders_.load_history && saved.history) restore_history(*saved.history);
        result_.edited_by_hand = saved.edited_by_hand();
        return {};
    }
    if (!is_damage(loaded.error())) return loaded;
    if (saved.journal) keep_journal("the graph to which it belongs cannot be restored", false);
    if (saved.text || !text) rename_unrestorable(loaded.error().sentence);
    result_.graph = Graph::damaged;
    result_.base = {};
    result_.replayed = false;
    end();
    return {};
}

/// Finds the journal that belongs to the saved graph. A crash may have left the next one: before the graph to which that
/// belongs was written, or after it.
Expected<void> GraphRestore::find_journal(SavedGraph& saved) {
    auto files = folder_.read_journals();
    if (!files) {
        if (!is_damage(files.error())) return std::unexpected(std::move(files.error()));
        keep_journal(files.error().sentence, false);
        files = StateFolder::Journals{};
    }
    if (saved.text) {
        auto hash = sha256_digits(*saved.text);
        if (!hash) return std::unexpected(std::move(hash.error()));
        result_.base.graph = std::move(*hash);
    }
    auto next = read_journal_of(result_.base.graph, files->next);
    auto current = read_journal_of(result_.base.graph, files->current);
    const auto end_of = [](const std::optional<JournalContents>& journal) {
        return journal ? journal->base.next_number + journal->entries.size() : 0;
    };
    const bool use_next = next && end_of(next) >= end_of(current);
    if (files->current && !current && !use_next) {
        const auto other = read_journal(*files->current);
        saved.others_journal = other.has_value();
        if (!other) {
            keep_journal("it cannot be read: " + other.error().sentence, false);
        } else if (!other->entries.empty()) {
            keep_journal(
                folder_.graph_path() +
                    " is not the graph to which it belongs: it was changed while rtad was not running, and counts",
                false);
        }
    }
    // On a read-only disk, the names stay.
    if (use_next) {
        static_cast<void>(folder_.accept_next_journal());
    } else if (files->next) {
        folder_.remove_next_journal();
    }
    saved.journal = std::move(use_next ? next : current);
    if (saved.journal) report_end(*saved.journal);
    if (saved.journal) result_.base.next_number = end_of(saved.journal);
    result_.number = result_.base.next_number - 1;
    result_.journaled = saved.journal.has_value();
    return {};
}

/// Returns the contents of a file that is a journal of the graph with this hash.
std::optional<JournalContents> GraphRestore::read_journal_of(const std::string& hash,
                                                             const std::optional<std::string>& file) {
    if (!file) return std::nullopt;
    auto contents = read_journal(*file);
    if (!contents || contents->base.graph != hash) return std::nullopt;
    return std::move(*contents);
}

void GraphRestore::report_end(const JournalContents& journal) {
    switch (journal.end) {
        case JournalContents::End::complete:
            return;
        case JournalContents::End::torn:
            return owner_.store_recovered(
                "the last changes in " + folder_.journal_path() +
                " are incomplete, as after a crash: they were not acknowledged, and are dropped");
        case JournalContents::End::damaged:
            break;
    }
    keep_journal(journal.entries.empty()
                     ? "it is damaged: the saved graph is restored without the changes in it"
                     : "it is damaged after revision " + std::to_string(journal.entries.back().revision) +
                           ": later changes are lost",
                 true);
}

/// Renames the journal, or, if it is in use, gives it a second name. Warns the owner.
void GraphRestore::keep_journal(const std::string& why, bool in_use) {
    const auto kept = in_use ? folder_.copy_journal() : folder_.rename_journal();
    owner_.store_warning("the journal " + folder_.journal_path() + " does not count" +
                         (in_use ? " as a whole: " : ": ") + why + "; " +
                         (kept ? "kept as " + *kept : kept.error().sentence));
}

/// Returns the graph and the history after the changes in the journal; nullopt: no changes.
std::optional<GraphRestore::Replayed> GraphRestore::replay_journal(SavedGraph& saved) {
    if (!loaders_.replay || !saved.journal || saved.journal->entries.empty()) return std::nullopt;
    find_history(saved);
    const std::vector<JournalEntry>& entries = saved.journal->entries;
    auto replayed = loaders_.replay(saved.text, saved.history, entries);
    if (!replayed) {
        keep_journal(replayed.error().sentence, false);
        return std::nullopt;
    }
    if (replayed->entries < entries.size()) {
        keep_journal("the change to revision " + std::to_string(entries[replayed->entries].revision) +
                         " cannot be made again: " + replayed->why + "; it and later changes are lost",
                     true);
    }
    return std::move(*replayed);
}

Expected<void> GraphRestore::load_replayed(SavedGraph& saved, Replayed replayed) {
    auto loaded = load_saved(replayed.graph);
    if (loaded) {
        saved.history = std::move(replayed.history);
        result_.replayed = true;
        return loaded;
    }
    // The journal is not the reason for the failed starts.
    if (!is_damage(loaded.error()) || loaded.error().code == ErrorCode::aborted || !saved.text) return loaded;
    keep_journal("the graph after the changes in it cannot be restored: " + loaded.error().sentence, false);
    saved.journal.reset();
    return loaders_.load(*saved.text);
}

/// Finds the history of the saved graph. Warns the owner about one that cannot be used.
void GraphRestore::find_history(SavedGraph& saved) {
    using History = JournalBase::History;
    const History base = saved.journal ? saved.journal->base.history : History::saved;
    if (base == History::empty || !saved.text) {
        saved.history = "";
        return;
    }
    const auto files = folder_.read_histories();
    if (!files) return damaged_history(files.error());
    std::optional<Error> error;
    // A crash may have left a next one whose graph was not written any more. If one is damaged, the other may be good.
    for (const auto* const file : {&files->next, &files->current}) {
        if (!*file) continue;
        auto history = read_history_file(**file, *saved.text);
        if (!history) {
            error = std::move(history.error());
        } else if (*history && base != History::lost) {
            // The next save overwrites it, and may be interrupted, too. On a read-only disk, nothing is saved.
            if (file == &files->next) static_cast<void>(folder_.accept_next_history());
            saved.history = std::move(**history);
            result_.base.history = History::saved;
            if (error) damaged_next_history(*error);
            return;
        }
    }
    if (error) return damaged_history(*error);
    if (!files->next && !files->current && !saved.journal) {
        saved.history = "";
        return;
    }
    saved.others_history = files->next || files->current;
    owner_.store_warning("a new history is started: " + folder_.graph_path() +
                         " is not the graph to which the saved history has led");
}

void GraphRestore::restore_history(const std::string& history) {
    if (history.empty()) return;
    const auto loaded = loaders_.load_history(history);
    if (loaded) return;
    result_.base.history = JournalBase::History::empty;
    damaged_history(loaded.error());
}

void GraphRestore::damaged_next_history(const Error& error) {
    const auto renamed = folder_.rename_next_history();
    owner_.store_warning(
        "the history of the previous save is restored, because the next one is damaged: " + folder_.history_path() +
        ".next: " + error.sentence + "; " + (renamed ? "renamed to " + *renamed : renamed.error().sentence));
}

void GraphRestore::damaged_history(const Error& error) {
    std::string consequence;
    if (is_damage(error)) {
        const auto renamed = folder_.rename_histories();
        consequence = renamed ? "; renamed to " + *renamed : "; " + renamed.error().sentence;
    }
    owner_.store_warning("a new history is started, because the saved one cannot be restored: " +
                         folder_.history_path() + ": " + error.sentence + consequence);
}

Expected<void> GraphRestore::restore_output() {
    const auto text = folder_.read_output();
    if (text && !*text) return {};
    if (!text && !is_damage(text.error())) return std::unexpected(text.error());
    auto state = text ? read_output_state(**text) : std::unexpected(text.error());
    result_.has_output_file = state.has_value();
    if (state) {
        result_.output = std::move(*state);
        return {};
    }
    const auto renamed = folder_.rename_output();
    owner_.store_warning("the output starts muted, because its state cannot be restored: " + folder_.output_path() +
                         ": " + state.error().sentence + "; " +
                         (renamed ? "renamed to " + *renamed : renamed.error().sentence));
    result_.output.muted = true;
    result_.output_damaged = true;
    return {};
}

Expected<std::optional<std::string>> GraphRestore::read_saved() {
    try {
        return folder_.read_graph();
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::resource_exhausted, "not enough memory to read " + folder_.graph_path());
    }
}

Expected<void> GraphRestore::load_saved(const std::string& text) {
    begun_ = true;
    if (const unsigned failed = folder_.begin_restore(); failed >= kMaximumFailedRestores) {
        return fail(
            ErrorCode::aborted,
            std::to_string(failed) + " starts in a row have failed while rtad was restoring " + folder_.graph_path());
    }
    return loaders_.load(text);
}

/// Renames a graph that cannot be restored, and warns the owner.
void GraphRestore::rename_unrestorable(const std::string& why) {
    const auto renamed = folder_.rename_graph();
    owner_.store_warning("the saved graph cannot be restored: " + why + "; " +
                         (renamed ? "renamed to " + *renamed : renamed.error().sentence) + "; starting without it");
}

void GraphRestore::end() {
    if (std::exchange(begun_, false)) folder_.end_restore();
}

}  // namespace rta::store
