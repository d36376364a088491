// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "rtactl/context/context.h"
#include "rtactl/mcp/json_rpc.h"

namespace rta::rtactl::mcp {

/// What a tool returns: JSON for programs, never text to be followed.
struct ToolResult {
    std::string json{};  ///< an object
    bool error = false;
};

/// Returns the result of a call whose arguments are not valid.
[[nodiscard]] ToolResult invalid_arguments(std::string sentence);

/// Runs commands of rtactl, and returns what they print with --json.
class CommandRunner {
 public:
    /// `context` prints JSON to `output`.
    CommandRunner(Context& context, std::ostringstream& output) : context_{context}, output_{output} {}

    [[nodiscard]] Context& context() { return context_; }
    /// Runs a command. One that only reads is run again if the connection was lost.
    [[nodiscard]] ToolResult run(std::span<const std::string> words, bool reads);
    /// Runs edits as one transaction, with these options of the commit.
    [[nodiscard]] ToolResult run_transaction(std::span<const std::string> lines, std::span<const std::string> options);

 private:
    [[nodiscard]] Result<void> dispatch_words(std::span<const std::string> words);
    [[nodiscard]] Result<void> dispatch_edit(std::string_view line);
    [[nodiscard]] ToolResult conclude(const Result<void>& outcome);

    Context& context_;
    std::ostringstream& output_;
};

/// A command that is a tool. Its name, help, arguments and options are those of the command table.
struct CommandTool {
    std::string_view command;
    std::span<const std::string_view> options = {};  ///< those that are offered
    std::span<const std::string_view> fixed = {};    ///< words that are always given
    bool details = false;                            ///< the text of the command's page belongs to the description
    bool edits = false;
};

[[nodiscard]] std::span<const CommandTool> command_tools();
/// Returns nullptr if no tool has this name.
[[nodiscard]] const CommandTool* find_command_tool(std::string_view name);
/// Writes the tool as an element of tools/list.
void describe(const CommandTable& commands, const CommandTool& tool, JsonWriter& writer);
/// Calls the tool. `arguments` may be nullptr.
[[nodiscard]] ToolResult call(CommandRunner& runner, const CommandTool& tool, const Json* arguments);

/// Returns whether a command can be an edit of a transaction: it edits the graph and reads no file of this machine.
[[nodiscard]] bool is_edit(const Command& command);

/// Writes the hints about what a tool may do.
void put_annotations(JsonWriter& writer, bool reads);

}  // namespace rta::rtactl::mcp
