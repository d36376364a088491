// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

namespace rta::bench {

/// What a benchmark program does: measures and prints. Each program defines it; bench_main.cpp calls it with the words
/// of the command line, with denormal numbers flushed to zero as on an audio thread. An exception ends the program with
/// its text and status 1.
void run(std::span<const std::string_view> arguments);

}  // namespace rta::bench
