// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "rtactl/terminal/completion.h"

namespace rta::rtactl {

/// Lines typed at the terminal that is the standard input and output: with the usual keys, earlier lines (arrows,
/// Ctrl-R) and TAB. Between two calls the terminal is as it was before.
class LineEditor {
 public:
    /// What TAB does to a line, given what stands in front of the cursor.
    using Complete = std::function<Typing(std::string_view)>;
    struct Library;  ///< libedit's part

    explicit LineEditor(std::span<const std::string> earlier_lines);
    LineEditor(const LineEditor&) = delete;
    LineEditor& operator=(const LineEditor&) = delete;
    ~LineEditor();

    /// The next line, without its end; nullopt: there are no more (Ctrl-D).
    [[nodiscard]] std::optional<std::string> read(const std::string& prompt, const Complete& complete);

 private:
    std::unique_ptr<Library> library_;
};

}  // namespace rta::rtactl
