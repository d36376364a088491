// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

namespace rta::api {

/// Runs slow work elsewhere. [control]
class Workers {
 public:
    virtual ~Workers() = default;
    /// Calls `work` on some thread, and then `done` on the control thread: later, or before run() returns.
    virtual void run(std::function<void()> work, std::function<void()> done) = 0;
};

}  // namespace rta::api
