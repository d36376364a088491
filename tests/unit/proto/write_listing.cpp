// SPDX-License-Identifier: MIT
// `rta_protocol_listing FILE` writes the listing of a release.
#include <fstream>
#include <iostream>

#include "proto/protocol_listing.h"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: rta_protocol_listing FILE\n";
        return 2;
    }
    std::ofstream file{argv[1]};
    file << "# The protocol that clients rely on: fields are only added. Written for each release by the target\n"
            "# released_protocol; a test compares it with the .proto files.\n"
         << rta::test::to_text(rta::test::list_protocol());
    return file.flush() ? 0 : 1;
}
