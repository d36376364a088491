// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "rtactl/context/context.h"
#include "rtactl/mcp/command_tools.h"
#include "rtactl/mcp/edit_previews.h"
#include "rtactl/mcp/json_rpc.h"

namespace rta::rtactl::mcp {

/// A server of the Model Context Protocol, without its streams: takes lines, and returns lines.
///
/// Calls are executed one after the other, in the order in which they arrive. So a call has been answered before its
/// cancellation is read, which is therefore ignored, as the protocol allows.
class Server {
 public:
    /// A longer line is refused.
    static constexpr std::size_t kMaximumLineBytes = std::size_t{4} << 20U;

    /// `context` prints JSON to `output`.
    Server(Context& context, std::ostringstream& output, bool allow_edits)
        : runner_{context, output}, previews_{runner_}, allow_edits_{allow_edits} {}

    /// Takes one line, and returns the response; nullopt to a notification or a blank line.
    [[nodiscard]] std::optional<std::string> take(std::string_view line);
    /// Returns the response to a line that is too long.
    [[nodiscard]] static std::string refuse_long_line();

 private:
    using Answer = std::expected<std::string, RpcError>;  ///< the whole response

    [[nodiscard]] Answer answer(const RpcMessage& request);
    [[nodiscard]] Answer initialize(const RpcMessage& request);
    [[nodiscard]] Answer list_tools(const RpcMessage& request);
    [[nodiscard]] Answer call_tool(const RpcMessage& request);
    [[nodiscard]] std::optional<ToolResult> call(std::string_view name, const Json* arguments);

    CommandRunner runner_;
    EditPreviews previews_;
    const bool allow_edits_;
    bool initialized_ = false;
};

}  // namespace rta::rtactl::mcp
