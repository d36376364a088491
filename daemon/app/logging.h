// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "net/log.h"

namespace rta::app {

/// Sends the log to stderr: plain lines on a terminal, lines with the journal's level prefixes if stderr is the
/// journal, otherwise lines with time and level. Duplicates the descriptor, so that the log still works while the
/// output of audio libraries is being captured. If stderr is a pipe that is not being read, lines are dropped and
/// counted; the daemon never waits. Call it once, before other threads start. [control]
void start_logging(net::LogLevel level);

/// Logs one line. Before start_logging(), the line goes to stdout as spdlog formats it. [any], except on the audio
/// thread
void log(net::LogLevel level, std::string_view line);

/// Prints an error with which the program exits before the log has started.
void print_error(std::string_view sentence);

}  // namespace rta::app
