// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string_view>

#include "text/error.h"

namespace rta::api {

/// Runs slow work elsewhere. [control]
class Workers {
 public:
    virtual ~Workers() = default;
    /// Calls `work` on some thread, and then `done` on the control thread: later, or before run() returns. What `work`
    /// throws ends there, and comes to `done` as an error: lack of memory is RESOURCE_EXHAUSTED. `doing` says what the
    /// work is: "memory ran out while ...".
    void run(std::string_view doing, std::function<void()> work, std::function<void(const Expected<void>&)> done);

 private:
    /// `work` throws nothing.
    virtual void start(std::function<void()> work, std::function<void()> done) = 0;
};

}  // namespace rta::api
