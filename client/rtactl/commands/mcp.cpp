// SPDX-License-Identifier: MIT
#include "rtactl/mcp/server.h"

#include <array>
#include <istream>
#include <ostream>
#include <sstream>
#include <string>

#include "rtactl/context/context.h"

namespace rta::rtactl::commands {

namespace {

enum class LineEnd : std::uint8_t { line, too_long, stream };

/// Reads a line. Of one that is too long, nothing is kept.
LineEnd read_line(std::istream& in, std::string& line) {
    line.clear();
    bool too_long = false;
    std::streambuf& buffer = *in.rdbuf();
    for (;;) {
        const int next = buffer.sbumpc();
        if (next == std::streambuf::traits_type::eof()) {
            if (too_long) return LineEnd::too_long;
            return line.empty() ? LineEnd::stream : LineEnd::line;
        }
        if (next == '\n') return too_long ? LineEnd::too_long : LineEnd::line;
        if (too_long) continue;
        line += static_cast<char>(next);
        too_long = line.size() > mcp::Server::kMaximumLineBytes;
        if (too_long) line = {};
    }
}

Result<void> run_mcp(Context& context, const Arguments& arguments) {
    const Streams& streams = context.streams();
    std::istringstream no_input;
    std::ostringstream results;
    const Streams captured{.in = no_input, .out = results, .err = streams.err};
    Context session = context.with_json(captured);
    mcp::Server server{session, results, arguments.has("--allow-edits")};
    std::ostream& out = streams.unescaped();  // JSON escapes its contents
    std::string line;
    while (out) {
        const LineEnd end = read_line(streams.in, line);
        if (end == LineEnd::stream) return {};
        const auto response = end == LineEnd::too_long ? mcp::Server::refuse_long_line() : server.take(line);
        if (session.ended) return fail(Exit::refused, "");
        if (response) out << *response << '\n' << std::flush;
    }
    return {};
}

constexpr std::array kMcpOptions{
    Option{"--allow-edits", "", "Also offer tools that edit the graph, and that undo edits."}};

}  // namespace

extern constinit const Command kMcp = checked({
    .position = 605,
    .name = "mcp",
    .help = "Serve the Model Context Protocol on the standard input and output, for language models.",
    .details =
        "The tools are commands of rtactl that read. With --allow-edits, a model can also edit the graph: each edit is\n"
        "shown by preview_edit first, made by apply_edit, and taken back by undo. Files of this machine are not read.\n"
        "Runs until the end of the input. See docs/mcp.md.",
    .example = "rtactl mcp\n"
               "rtactl mcp --allow-edits",
    .options = kMcpOptions,
    .place = Place::command_line,
    .run = run_mcp,
});

}  // namespace rta::rtactl::commands
