// SPDX-License-Identifier: MIT
// Writes the tables of limits into docs/administration.md, or checks that the file has them:
//
//   limit_docs write|check FILE
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

#include "app/limits.h"
#include "support/temporary.h"

namespace {

constexpr std::string_view kBegin =
    "<!-- Generated from daemon/app/limits.cpp: cmake --build build/release --target "
    "limit_docs -->\n";
constexpr std::string_view kEnd = "\n<!-- end of the limits -->\n";

std::string with_tables(const std::string& page) {
    const auto begin = page.find(kBegin);
    const auto end = page.find(kEnd);
    if (begin == std::string::npos || end == std::string::npos || end < begin)
        throw std::runtime_error{"the page has no place for the tables of limits"};
    return page.substr(0, begin + kBegin.size()) + rta::app::limits_as_markdown() + page.substr(end);
}

int run(std::string_view what, const char* file) {
    const std::string page = rta::test::read_text(file);
    const std::string expected = with_tables(page);
    if (what == "write") {
        rta::test::write_text(file, expected);
        return 0;
    }
    if (page == expected) return 0;
    std::fprintf(stderr,
                 "%s does not have the limits of daemon/app/limits.cpp; write them: cmake --build build/release "
                 "--target limit_docs\n",
                 file);
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3 || (argv[1] != std::string_view{"write"} && argv[1] != std::string_view{"check"})) {
        std::fputs("usage: limit_docs write|check FILE\n", stderr);
        return 2;
    }
    try {
        return run(argv[1], argv[2]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
