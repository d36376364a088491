// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "net/log.h"

namespace rta::app {

/// Sends the log to stderr: plain lines on a terminal, levels as the journal wants them where stderr is
/// the journal, with time and level elsewhere. Keeps a descriptor of its own, so
/// that it is still heard while the noise of host libraries is being caught. A reader that has stopped reading costs
/// lines, which are counted, and never makes the daemon wait. [control], once, before any other thread
void start_logging(net::LogLevel level);

/// [any] thread but the audio thread. Before start_logging(): straight to stderr.
void log(net::LogLevel level, std::string_view line);

/// Errors that end the program before it has begun.
void print_error(std::string_view sentence);

}  // namespace rta::app
