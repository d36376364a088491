// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/file_identity.h"
#include "os/unique_fd.h"
#include "text/error.h"

namespace rta::store {

/// The folder in which one rtad remembers its graph: `graph.json`, beside it `lock`, for a moment `graph.json.new`,
/// from the restoring to the first sound `restoring`, and `graph.json.kept-1`, `-2`, ... for what could not be
/// restored.
///
/// `graph.json` is replaced as a whole: whoever reads it, at any moment and after any crash, finds the old text or the
/// new one. A file of that name that was neither written nor restored here is never overwritten, it is kept aside.
///
/// Every function waits for the disk. One thread at a time.
class StateFolder {
 public:
    /// More than any graph needs; a document is not read beyond it either.
    static constexpr std::size_t kLongestBytes = std::size_t{16} << 20U;

    explicit StateFolder(std::string path) : path_{std::move(path)} {}
    StateFolder(const StateFolder&) = delete;
    StateFolder& operator=(const StateFolder&) = delete;
    ~StateFolder() { close(); }

    /// Makes the folder (its last part only, 0700) if it is not there, locks it, and removes what a crash left of a
    /// file half written. Does nothing if that is done and the folder is still the one at its path.
    /// ALREADY_EXISTS: another rtad has it locked. UNAVAILABLE: whatever the system says.
    [[nodiscard]] Expected<void> open();

    /// The text of `graph.json`; nothing if there is none. Works in a folder that can be read but not written, after an
    /// open() that failed for that reason. INVALID_ARGUMENT or UNAVAILABLE: there is something of that name that
    /// cannot be a graph, or cannot be read; see keep_aside().
    [[nodiscard]] Expected<std::optional<std::string>> read_graph();

    /// Makes a note, `restoring`, that a graph is being restored. Returns how many times in a row one was begun before
    /// and never ended by end_restore(): whoever began it did not live so long. Where no note can be made it is 0.
    [[nodiscard]] unsigned begin_restore();
    void end_restore();

    /// Renames `graph.json` to the first free `graph.json.kept-N`; returns the path of that.
    [[nodiscard]] Expected<std::string> keep_aside();

    /// Replaces `graph.json`: opens the folder if need be, keeps a foreign file aside. When it returns, the text is on
    /// the disk. Returns where a foreign file was kept, or nothing. On an error `graph.json` is as it was, or
    /// already the new one, where only its place in the folder could not be made to last.
    [[nodiscard]] Expected<std::optional<std::string>> write_graph(std::string_view text);

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string graph_path() const { return path_ + "/graph.json"; }
    /// What rtad itself writes in such a folder, but for what it keeps aside.
    [[nodiscard]] static std::vector<std::string> files_in(const std::string& path);

 private:
    void close();
    [[nodiscard]] Expected<void> open_folder();
    [[nodiscard]] Expected<void> lock();
    [[nodiscard]] Expected<std::optional<std::string>> keep_foreign_aside();
    [[nodiscard]] Expected<void> replace_graph(std::string_view text);

    std::string path_;
    os::UniqueFd folder_;
    os::UniqueFd lock_;
    std::optional<os::FileVersion> own_;  ///< the `graph.json` that was last written or read here
};

}  // namespace rta::store
