// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rta/v1/control.pb.h"
#include "rtactl/language/command.h"
#include "rtactl/language/graph_mirror.h"

namespace rta::rtactl {

/// What the completion may want to know of the daemon. Each is asked for only where the answer depends on it.
class Knowledge {
 public:
    Knowledge() = default;
    Knowledge(const Knowledge&) = delete;
    Knowledge& operator=(const Knowledge&) = delete;
    virtual ~Knowledge() = default;

    /// nullptr: not known; then nothing that depends on it is offered. Holds as long as this lives.
    [[nodiscard]] virtual const v1::NodeTypesResult* types() = 0;
    [[nodiscard]] virtual const KnownGraph* graph() = 0;
};

/// What a word may become.
struct Candidate {
    std::string text;   ///< the whole word
    std::string help;   ///< may be empty
    bool final = true;  ///< the word ends with it, so that a blank may follow; else it goes on, as after `osc.`
};

struct Completion {
    std::vector<Candidate> candidates;
    /// Bytes at the front of every candidate that need not be shown again: "osc." of "osc.frequency_hz=".
    std::size_t stem = 0;
    /// Where there is nothing to choose from: what is expected, "20 to 20000 Hz, default 440 Hz". May be empty.
    std::string hint;
    /// A file name is expected, from this byte of the word on. Files are for the caller to look at.
    std::optional<std::size_t> file;
};

/// What the last of `words` may become. They are those of a line up to the cursor, so the last one (empty where a new
/// word begins) is cut there. `place` is where the line is typed: the shell, or behind `rtactl`. A function of what it
/// is given alone.
[[nodiscard]] Completion complete(std::span<const std::string> words, Place place, Knowledge& knowledge);

/// The global options among `words`, as far as they can be read: which daemon the line is for.
[[nodiscard]] Arguments global_options_in(std::span<const std::string> words);

/// The names of files that `path` may become.
[[nodiscard]] std::vector<Candidate> complete_file(const std::string& path);

/// What TAB does to a line of the shell.
struct Typing {
    std::size_t erased = 0;  ///< bytes in front of the cursor that go
    std::string inserted;    ///< in their place
    /// Where there is more than one way to go on, or none but a hint: shown below the line.
    std::vector<Candidate> shown{};
};
/// `line` is what stands in front of the cursor. Looks at files where a file is expected.
[[nodiscard]] Typing complete_line(std::string_view line, Knowledge& knowledge);

}  // namespace rta::rtactl
