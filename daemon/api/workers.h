// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "api/exception_barrier.h"
#include "text/error.h"

namespace rta::api {

/// Runs slow work on other threads. [control]
class Workers {
 public:
    virtual ~Workers() = default;
    /// Calls `work` on some thread, and then `done` on the control thread: later, or before run() returns. `done` gets
    /// what `work` throws as an error; see guarded().
    void run(std::string_view doing, std::function<void()> work, std::function<void(const Expected<void>&)> done) {
        const auto outcome = std::make_shared<Expected<void>>();
        start([doing, work = std::move(work), outcome] { *outcome = guarded(doing, work); },
              [done = std::move(done), outcome] { done(*outcome); });
    }

 private:
    /// As run(), for `work` that does not throw.
    virtual void start(std::function<void()> work, std::function<void()> done) = 0;
};

}  // namespace rta::api
