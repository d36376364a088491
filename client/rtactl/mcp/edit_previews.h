// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "rtactl/mcp/command_tools.h"

namespace rta::rtactl::mcp {

/// Makes edits in two steps: preview() shows what they would change, apply() makes exactly these, on exactly this graph.
class EditPreviews {
 public:
    static constexpr std::string_view kPreviewName = "preview_edit";
    static constexpr std::string_view kApplyName = "apply_edit";
    /// Edits of one preview.
    static constexpr std::size_t kMaximumEdits = 1'000;

    explicit EditPreviews(CommandRunner& runner) : runner_{runner} {}

    // As elements of tools/list.
    static void describe_preview(const CommandTable& commands, JsonWriter& writer);
    static void describe_apply(JsonWriter& writer);

    [[nodiscard]] ToolResult preview(const Json* arguments);
    [[nodiscard]] ToolResult apply(const Json* arguments);

 private:
    struct Preview {
        std::string token;
        std::vector<std::string> lines;
        std::string revision;
        std::string instance;
    };

    CommandRunner& runner_;
    std::deque<Preview> previews_;  ///< the latest
    std::uint64_t count_ = 0;
};

}  // namespace rta::rtactl::mcp
