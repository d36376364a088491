// SPDX-License-Identifier: MIT
#include "rtactl/terminal/capabilities.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace rta::rtactl {

namespace {

std::string_view environment(const char* name) {
    const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): the environment does not change
    return value == nullptr ? std::string_view{} : value;
}

}  // namespace

bool can_draw(int descriptor) {
    const std::string_view kind = environment("TERM");
    return !kind.empty() && kind != "dumb" && ::isatty(descriptor) == 1;
}

bool can_colour(int descriptor) { return can_draw(descriptor) && environment("NO_COLOR").empty(); }

}  // namespace rta::rtactl
