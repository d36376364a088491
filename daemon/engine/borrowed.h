// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

namespace rta {

/// The difference between the instances and connections that plans borrow and those of the previous plan. Plans hold
/// pointers only: if each plan owned them, the owners would be copied and released one by one, and reading that memory
/// takes longer than compiling. PlanExchange keeps them alive. [control]
struct Borrowed {
    std::vector<std::shared_ptr<const void>> entered = {};
    std::vector<const void*> left = {};
};

}  // namespace rta
