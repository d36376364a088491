// SPDX-License-Identifier: MIT
#include "bench_main.h"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <vector>

#include "rt/denormal_guard.h"

int main(int argc, char** argv) {
    try {
        const rta::DenormalGuard guard;
        const std::vector<std::string_view> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
        rta::bench::run(arguments);
        return EXIT_SUCCESS;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", argc > 0 ? argv[0] : "bench", error.what());
        return EXIT_FAILURE;
    }
}
