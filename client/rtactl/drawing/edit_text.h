// SPDX-License-Identifier: MIT
#pragma once

#include <ostream>
#include <string>
#include <string_view>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

/// Returns an edit as the command that makes it: "connect osc vol gain_db=-6".
[[nodiscard]] std::string describe(const v1::Edit& edit);
[[nodiscard]] std::string describe(const v1::SetParameter& change);

/// Prints edits as lines for `rtactl shell`, which makes them one transaction. `what` is what the graph was compared with.
void print_transaction(std::ostream& out, std::string_view what, const auto& edits) {
    if (edits.empty()) {
        out << "# " << what << ": no difference\n";
        return;
    }
    out << "begin\n";
    for (const v1::Edit& edit : edits) out << describe(edit) << '\n';
    out << "commit\n";
}

}  // namespace rta::rtactl
