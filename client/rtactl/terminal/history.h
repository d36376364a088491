// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rta::rtactl {

/// History of the lines typed into shells, in a file that only its owner can read. Concurrent shells append to the same
/// file. A file that cannot be read or written is ignored: the history is a convenience.
class History {
 public:
    static constexpr std::size_t kMaximumLines = 1'000;
    static constexpr std::size_t kMaximumLineBytes = 4'096;  ///< longer ones were pasted, not typed

    /// An empty path disables the history.
    explicit History(std::string path) : path_{std::move(path)} {}

    /// Returns the last kMaximumLines, oldest first. Truncates a file of more than twice that.
    [[nodiscard]] std::vector<std::string> load() const;
    /// Appends a line, unless it repeats the previous one. Creates missing folders.
    void add(std::string_view line);

 private:
    std::string path_;
    std::string last_;
};

/// Returns $XDG_STATE_HOME/rtactl/history, or ~/.local/state/rtactl/history; empty without a home folder.
[[nodiscard]] std::string history_path();

}  // namespace rta::rtactl
