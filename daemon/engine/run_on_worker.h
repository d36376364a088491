// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "text/error.h"

namespace rta {

/// Runs `work` on a worker thread and then calls `done` on the control thread, later or before returning. `done`
/// receives an error if `work` could not be completed, for example because memory ran out.
using RunOnWorker =
    std::function<void(std::function<void()> work, std::function<void(const Expected<void>& completed)> done)>;

/// The RunOnWorker for programs without workers.
inline void run_here(const std::function<void()>& work, const std::function<void(const Expected<void>&)>& done) {
    work();
    done({});
}

}  // namespace rta
