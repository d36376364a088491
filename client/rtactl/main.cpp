// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <google/protobuf/stubs/logging.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "rtactl/program.h"

namespace {

/// The socket to the daemon must not become a standard stream. What is written to a closed one still fails, and is
/// told.
void open_standard_streams() {
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        // The lowest free number is taken, which is this one.
        if (::fcntl(descriptor, F_GETFD) == -1) static_cast<void>(::open("/dev/null", O_RDONLY));
    }
}

}  // namespace

int main(int argc, char** argv) {
    using namespace rta::rtactl;
    open_standard_streams();
    // What protobuf has to say to programmers is not for the users of a command line.
    google::protobuf::SetLogHandler(nullptr);
    std::ios::sync_with_stdio(false);
    const char* const kind =
        std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): nothing here changes the environment
    const bool can_draw = kind != nullptr && *kind != '\0' && std::string_view{kind} != "dumb";
    const int terminal = can_draw && ::isatty(STDOUT_FILENO) == 1 ? STDOUT_FILENO : -1;
    const bool interactive = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
    const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    return static_cast<int>(run(words, {.in = std::cin,
                                        .out = std::cout,
                                        .err = std::cerr,
                                        .interactive = interactive,
                                        .terminal = terminal,
                                        .descriptor = STDOUT_FILENO}));
}
