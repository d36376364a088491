// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <google/protobuf/stubs/logging.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "rtactl/commands/commands.h"
#include "rtactl/context/program.h"

namespace {

/// Opens /dev/null in place of closed standard streams, so that the daemon's socket cannot become one of them. It is
/// opened read-only: writing to it still fails and is reported.
void open_standard_streams() {
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        // open() takes the lowest free descriptor, which is this one.
        if (::fcntl(descriptor, F_GETFD) == -1) static_cast<void>(::open("/dev/null", O_RDONLY));
    }
}

}  // namespace

int main(int argc, char** argv) {
    using namespace rta::rtactl;
    open_standard_streams();
    // Protobuf's log messages are for programmers.
    google::protobuf::SetLogHandler(nullptr);
    std::ios::sync_with_stdio(false);
    const char* const kind = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): the environment does not change
    const bool can_draw = kind != nullptr && *kind != '\0' && std::string_view{kind} != "dumb";
    const int terminal = can_draw && ::isatty(STDOUT_FILENO) == 1 ? STDOUT_FILENO : -1;
    const bool interactive = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
    const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    return static_cast<int>(run_program(all_commands(), words,
                                        {.in = std::cin,
                                         .out = std::cout,
                                         .err = std::cerr,
                                         .interactive = interactive,
                                         .terminal = terminal,
                                         .descriptor = STDOUT_FILENO}));
}
