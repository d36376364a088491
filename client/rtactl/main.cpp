// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <google/protobuf/stubs/logging.h>
#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "rtactl/commands/commands.h"
#include "rtactl/context/program.h"
#include "rtactl/terminal/capabilities.h"

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
    const int terminal = can_draw(STDOUT_FILENO) ? STDOUT_FILENO : -1;
    const bool interactive = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
    const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    return static_cast<int>(run_program(all_commands(), words,
                                        {.in = std::cin,
                                         .out = std::cout,
                                         .err = std::cerr,
                                         .interactive = interactive,
                                         .terminal = terminal,
                                         .descriptor = STDOUT_FILENO,
                                         .styled_out = can_colour(STDOUT_FILENO),
                                         .styled_err = can_colour(STDERR_FILENO)}));
}
