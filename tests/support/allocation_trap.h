// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace rta::test {

/// Returns whether this build can count allocations. Sanitizers have their own allocator, which must not be replaced:
/// in their builds the trap is empty and counts nothing, and RealtimeSanitizer detects allocations instead.
[[nodiscard]] bool allocation_trap_active();

/// Counts the allocations and deallocations of the calling thread during its lifetime: malloc and related functions,
/// and so operator new and delete, in all libraries of the process. Requires allocation_trap.cpp in the test program.
class AllocationTrap {
 public:
    AllocationTrap();
    AllocationTrap(const AllocationTrap&) = delete;
    AllocationTrap& operator=(const AllocationTrap&) = delete;

    /// Returns the number of calls by this thread since the trap was set.
    [[nodiscard]] std::uint64_t count() const;

 private:
    std::uint64_t at_start_;
};

}  // namespace rta::test
