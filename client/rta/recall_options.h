// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "rta/v1/control.pb.h"

namespace rta {

/// How Client::recall_scene() makes the graph that of a scene.
struct RecallOptions {
    /// Time in which parameters, and gains of connections, reach the values of the scene: 0 to 600000. Default: 20, and 10
    /// for gains.
    std::optional<float> fade_ms{};
    bool wait_for_start = false;   ///< return when the change begins to be heard, not at the commit
    std::optional<v1::When> at{};  ///< recall it later; see edits.h. The result has `pending`.
    std::optional<v1::Guard> guard{};
};

}  // namespace rta
