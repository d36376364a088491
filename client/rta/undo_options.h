// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

namespace rta {

/// Which steps of the daemon's history Client::undo() and redo() choose.
struct UndoOptions {
    std::uint32_t steps = 1;      ///< 1 to 1000
    bool force = false;           ///< also what others have changed since in the same places
    bool of_all = false;          ///< also steps of other authors
    bool wait_for_start = false;  ///< return when the change begins to be heard, not at the commit
    /// Revert it unless Client::confirm() comes within this time, 1 to 600 s.
    std::optional<std::uint32_t> confirm_within_s = std::nullopt;
};

}  // namespace rta
