// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

namespace rta {

/// How the instances and connections that plans borrow differ from those of the plan before. Plans hold pointers only:
/// an owner of each in each plan would be copied and released one by one, and reading that memory takes longer than
/// compiling. PlanExchange keeps them alive. [control]
struct Borrowed {
    std::vector<std::shared_ptr<const void>> entered = {};
    std::vector<const void*> left = {};
};

}  // namespace rta
