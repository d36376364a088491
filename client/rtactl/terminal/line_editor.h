// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "rtactl/terminal/line_completion.h"

namespace rta::rtactl {

/// Reads lines from the terminal that is the standard input and output, with editing keys, history (arrows, Ctrl-R) and
/// completion (TAB). Restores the terminal between calls.
class LineEditor {
 public:
    /// Computes the effect of TAB from the text before the cursor.
    using Complete = std::function<LineCompletion(std::string_view)>;
    struct Library;  ///< state of libedit

    explicit LineEditor(std::span<const std::string> earlier_lines);
    LineEditor(const LineEditor&) = delete;
    LineEditor& operator=(const LineEditor&) = delete;
    ~LineEditor();

    /// Returns the next line without its line end; nullopt at the end of input (Ctrl-D).
    [[nodiscard]] std::optional<std::string> read(const std::string& prompt, const Complete& complete);

 private:
    std::unique_ptr<Library> library_;
};

}  // namespace rta::rtactl
