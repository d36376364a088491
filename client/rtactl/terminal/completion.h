// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rta/graph_mirror.h"
#include "rta/v1/control.pb.h"
#include "rtactl/language/command_table.h"
#include "rtactl/terminal/cursor_context.h"

namespace rta::rtactl {

/// Provides what completion needs from the daemon and the configuration file. Each function is called only if the
/// candidates depend on it.
class CompletionSource {
 public:
    CompletionSource() = default;
    CompletionSource(const CompletionSource&) = delete;
    CompletionSource& operator=(const CompletionSource&) = delete;
    virtual ~CompletionSource() = default;

    // nullptr: not available; nothing that depends on it is offered. The pointers are valid for the lifetime of the
    // source.
    [[nodiscard]] virtual const v1::NodeTypesResult* types() = 0;
    [[nodiscard]] virtual const GraphMirror* graph() = 0;
    /// Returns the names of the hosts in the configuration file, with their addresses.
    [[nodiscard]] virtual std::map<std::string, std::string> hosts() { return {}; }
    /// Returns the names of the scenes.
    [[nodiscard]] virtual std::vector<std::string> scenes() { return {}; }
};

/// One possible completion of a word.
struct Candidate {
    std::string text;   ///< the whole word
    std::string help;   ///< may be empty
    bool final = true;  ///< completes the word, so that a blank may follow; false after `osc.`
};

struct Completion {
    std::vector<Candidate> candidates;
    /// Length of the part of every candidate that need not be shown: "osc." of "osc.frequency_hz=".
    std::size_t stem = 0;
    /// Without candidates: what is expected, "20 to 20000 Hz, default 440 Hz". May be empty.
    std::string hint;
    /// If a file name is expected: the byte of the word at which it starts. The caller looks for files.
    std::optional<std::size_t> file;
};

/// Completes the last of `words`: those of a line up to the cursor, the last one cut there, or empty at the start of a
/// new word. `place` is where the line is typed: in the shell, or after `rtactl`. Depends on its arguments only.
[[nodiscard]] Completion complete(const CommandTable& table, std::span<const std::string> words, Place place,
                                  CompletionSource& source);

}  // namespace rta::rtactl
