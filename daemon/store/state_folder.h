// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/file_identity.h"
#include "os/file_operations.h"
#include "os/unique_fd.h"
#include "store/state_file.h"
#include "text/error.h"

namespace rta::store {

class Journal;
struct JournalBase;

/// The folder in which one daemon saves its state. It contains `graph.json`, `output.json`, `history`, `tokens` (see
/// token_file.h), `confirmation` (see confirmation_file.h) and `lock`; `history.next` until the graph to which it belongs has been written; `graph.json.new`,
/// `output.json.new` or `history.next.new` while one of them is being written; `restoring` from the start of a restore until the graph
/// plays; `journal`, and `journal.next` until the `graph.json` to which it belongs has been written (see journal_file.h);
/// and `graph.json.kept-1`, `-2`, ... for graphs that could not be restored, and `output.json.kept-N` for states
/// of the output, `history.kept-N` and `history.next.kept-N` for damaged histories, and `journal.kept-N`.
///
/// `graph.json` and `output.json` are replaced atomically: readers see either the old or the new contents, also after a
/// crash. A `graph.json` that this object neither wrote nor read is never overwritten, but renamed to
/// `graph.json.kept-N`.
///
/// All functions may block on the disk. Not thread-safe.
class StateFolder {
 public:
    explicit StateFolder(std::string path, os::FileOperations& files = os::FileOperations::system())
        : files_{files}, path_{std::move(path)} {}
    StateFolder(const StateFolder&) = delete;
    StateFolder& operator=(const StateFolder&) = delete;
    ~StateFolder() { close(); }

    /// Creates the folder if it is missing (mode 0700; its parent must exist), locks it, and removes a partly written
    /// file that a crash left. What has the name of a file to be written and cannot be replaced, such as a directory, is
    /// renamed to `.kept-N`; see take_notes(). Does nothing if the folder is already open and still at its path.
    /// ALREADY_EXISTS if another rtad has locked it; UNAVAILABLE for system errors.
    [[nodiscard]] Expected<void> open();
    /// Returns a sentence for each file that open() has renamed since the previous call.
    [[nodiscard]] std::vector<std::string> take_notes() { return std::exchange(notes_, {}); }
    /// Returns whether open() would do nothing.
    [[nodiscard]] bool is_open() const;

    /// Returns the contents of `graph.json`, or nullopt if it does not exist. Also works if open() failed because the
    /// folder is read-only. INVALID_ARGUMENT if `graph.json` is not a regular file or is too long; UNAVAILABLE if it
    /// cannot be read, or if it is not known whether it exists.
    [[nodiscard]] Expected<std::optional<std::string>> read_graph();

    /// Returns the contents of `output.json`; otherwise like read_graph().
    [[nodiscard]] Expected<std::optional<std::string>> read_output() const;

    /// The contents of `history.next` and `history`, as read_output() returns them.
    struct Histories {
        std::optional<std::string> next;
        std::optional<std::string> current;
    };
    [[nodiscard]] Expected<Histories> read_histories() const;

    /// The contents of `journal.next` and `journal`, as read_output() returns them.
    struct Journals {
        std::optional<std::string> next;
        std::optional<std::string> current;
    };
    [[nodiscard]] Expected<Journals> read_journals() const;

    /// Records in the file `restoring` that a restore has begun. Returns the number of previous restores in a row that
    /// never reached end_restore() because the process died. Returns 0 if the file cannot be written.
    [[nodiscard]] unsigned begin_restore();
    void end_restore();

    /// Renames `graph.json` to the first free `graph.json.kept-N`. Returns the new path.
    [[nodiscard]] Expected<std::string> rename_graph();
    /// Renames `output.json` in the same way.
    [[nodiscard]] Expected<std::string> rename_output() const;

    /// Replaces `graph.json` and waits until the text is on the disk. Opens the folder if necessary. A `graph.json`
    /// that another process wrote is renamed first; returns its new path, or nullopt. After an error, `graph.json` has
    /// its old contents, or the new ones if only syncing the folder failed.
    [[nodiscard]] Expected<std::optional<std::string>> write_graph(std::string_view text);
    /// Returns whether the last write_graph() has replaced the file.
    [[nodiscard]] bool has_replaced_graph() const { return replaced_graph_; }

    /// Replaces `output.json` and waits until the text is on the disk. Opens the folder if necessary.
    [[nodiscard]] Expected<void> write_output(std::string_view text);

    /// Replaces `history.next` and waits until the text is on the disk. Opens the folder if necessary.
    [[nodiscard]] Expected<void> write_next_history(std::string_view text);
    /// Renames `history.next` to `history`, once the graph to which it belongs has been written.
    [[nodiscard]] Expected<void> accept_next_history() const;
    /// Removes `history`.
    void remove_history() const;
    /// Renames both to `.kept-N` as rename_graph() does. Returns the new path of the last one.
    [[nodiscard]] Expected<std::string> rename_histories() const;
    /// The same for `history.next` only.
    [[nodiscard]] Expected<std::string> rename_next_history() const;

    /// Creates `journal.next`, and waits until it is on the disk, except for its name. Opens the folder if necessary.
    [[nodiscard]] Expected<void> create_next_journal(Journal& journal, const JournalBase& base);
    /// Renames `journal.next` to `journal`, and waits until the names are on the disk.
    [[nodiscard]] Expected<void> accept_next_journal() const;
    void remove_next_journal() const;
    void remove_journal() const;
    /// Renames `journal` as rename_graph() does.
    [[nodiscard]] Expected<std::string> rename_journal() const;
    /// Gives `journal` a second name of the same kind, which keeps its contents when it is replaced.
    [[nodiscard]] Expected<std::string> copy_journal() const;

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string graph_path() const { return path_ + "/graph.json"; }
    [[nodiscard]] std::string output_path() const { return path_ + "/output.json"; }
    [[nodiscard]] std::string history_path() const { return path_ + "/history"; }
    [[nodiscard]] std::string journal_path() const { return path_ + "/journal"; }
    /// Returns the paths of the files that rtad writes in such a folder, except those that it has kept.
    [[nodiscard]] static std::vector<std::string> files_in(const std::string& path);

 private:
    void close();
    [[nodiscard]] Expected<void> open_folder();
    [[nodiscard]] Expected<void> lock();
    [[nodiscard]] Expected<std::optional<std::string>> rename_foreign_graph();
    void clear_names();
    [[nodiscard]] Expected<std::optional<StateFile>> read(const char* name, std::size_t longest_bytes) const;
    [[nodiscard]] Expected<std::string> rename(const char* name) const;
    /// Sets `version` as soon as the file has been replaced.
    [[nodiscard]] Expected<void> replace(const char* name, std::string_view text,
                                         std::optional<os::FileVersion>& version) const;

    os::FileOperations& files_;
    std::string path_;
    os::UniqueFd folder_;
    os::UniqueFd lock_;
    std::optional<os::FileVersion> own_;  ///< the `graph.json` that was last written or read here
    bool replaced_graph_ = false;
    std::vector<std::string> notes_{};
};

}  // namespace rta::store
