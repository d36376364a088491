// SPDX-License-Identifier: MIT
#include <google/protobuf/stubs/logging.h>
#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "rtactl/run.h"

int main(int argc, char** argv) {
    using namespace rta::rtactl;
    // What protobuf has to say to programmers is not for the users of a command line.
    google::protobuf::SetLogHandler(nullptr);
    std::ios::sync_with_stdio(false);
    const bool interactive = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
    const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    return static_cast<int>(
        run(words, {.in = std::cin, .out = std::cout, .err = std::cerr, .interactive = interactive}));
}
