// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace rta::test {

/// Whether this build can see allocations. Sanitizers bring an allocator of their own that must not be replaced: in
/// their builds the trap compiles to nothing and counts nothing, and RealtimeSanitizer does its work instead.
[[nodiscard]] bool allocation_trap_active();

/// Counts how often the calling thread allocates or frees while it lives: malloc and its family, and with them operator
/// new and delete, in all libraries of the process. Link allocation_trap.cpp into the test program.
class AllocationTrap {
 public:
    AllocationTrap();
    AllocationTrap(const AllocationTrap&) = delete;
    AllocationTrap& operator=(const AllocationTrap&) = delete;

    /// Calls of this thread since the trap was set.
    [[nodiscard]] std::uint64_t count() const;

 private:
    std::uint64_t at_start_;
};

}  // namespace rta::test
