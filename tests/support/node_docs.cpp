// SPDX-License-Identifier: MIT
// Writes docs/nodes.md from the tables of the nodes, or checks that the file matches them:
//
//   node_docs write|check FILE
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "api/requests/list_node_types.h"
#include "graph/node_type.h"
#include "rtactl/drawing/type_page.h"
#include "support/temporary.h"

namespace {

std::string document() {
    rta::v1::NodeTypesResult types;
    for (const rta::NodeType* type : rta::builtin_nodes().types())
        rta::api::to_wire(*type, rta::kTableRateHz, *types.add_types());
    return rta::rtactl::types_document(types);
}

int run(std::string_view what, const char* file) {
    if (what == "write") {
        rta::test::write_text(file, document());
        return 0;
    }
    if (rta::test::read_text(file) == document()) return 0;
    std::fprintf(
        stderr,
        "%s is not what the tables of the nodes say; update it: cmake --build build/release --target node_docs\n",
        file);
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3 || (argv[1] != std::string_view{"write"} && argv[1] != std::string_view{"check"})) {
        std::fputs("usage: node_docs write|check FILE\n", stderr);
        return 2;
    }
    try {
        return run(argv[1], argv[2]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
