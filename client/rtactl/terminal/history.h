// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rta::rtactl {

/// The lines that were typed into shells before, in a file that only its owner may read. Shells that run at once add to
/// the same file. What cannot be read or written is as if it were empty: nobody's work depends on it.
class History {
 public:
    static constexpr std::size_t kMostLines = 1'000;
    static constexpr std::size_t kMostBytesOfLine = 4'096;  ///< longer ones were pasted, not typed

    /// An empty path: nothing is kept.
    explicit History(std::string path) : path_{std::move(path)} {}

    /// The last kMostLines, the oldest first. Cuts a file that has grown to twice as many.
    [[nodiscard]] std::vector<std::string> load() const;
    /// The folder is made where it is missing. A line that stands at the end already is not added again.
    void add(std::string_view line);

 private:
    std::string path_;
    std::string last_;
};

/// $XDG_STATE_HOME/rtactl/history, or that in ~/.local/state; empty where there is no home.
[[nodiscard]] std::string history_path();

}  // namespace rta::rtactl
