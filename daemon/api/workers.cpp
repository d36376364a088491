// SPDX-License-Identifier: MIT
#include "api/workers.h"

#include <memory>
#include <utility>

#include "api/exception_barrier.h"

namespace rta::api {

void Workers::run(std::string_view doing, std::function<void()> work, std::function<void(const Expected<void>&)> done) {
    const auto outcome = std::make_shared<Expected<void>>();
    start([doing, work = std::move(work), outcome] { *outcome = guarded(doing, work); },
          [done = std::move(done), outcome] { done(*outcome); });
}

}  // namespace rta::api
