// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

namespace rta::bench {

/// Entry point of a benchmark program, which each program defines: measures and prints. bench_main.cpp calls it with
/// the command-line arguments and with denormal numbers flushed to zero, as on an audio thread. If it throws, the
/// program prints the text of the exception and exits with status 1.
void run(std::span<const std::string_view> arguments);

}  // namespace rta::bench
