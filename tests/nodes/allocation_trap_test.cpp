// SPDX-License-Identifier: MIT
// Verifies that the trap detects allocations; otherwise a count of 0 would mean nothing.
#include "support/allocation_trap.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <string>
#include <thread>

namespace rta::test::allocation_trap_test {
namespace {

/// Prevents the compiler from removing an unused allocation.
void* used(void* memory) {
    void* volatile seen = memory;
    return seen;
}

/// Skipped in builds with the allocator of a sanitizer, where the trap is inactive.
std::uint64_t expected(std::uint64_t count) { return allocation_trap_active() ? count : 0; }

TEST(AllocationTrap, CountsTheMallocFamily) {
    const AllocationTrap trap;
    void* memory = used(std::malloc(10));
    EXPECT_EQ(trap.count(), expected(1));
    memory = used(std::realloc(memory, 1'000));
    EXPECT_EQ(trap.count(), expected(2));
    std::free(memory);
    EXPECT_EQ(trap.count(), expected(3));
    std::free(used(std::calloc(3, 5)));
    EXPECT_EQ(trap.count(), expected(5));
    std::free(used(std::aligned_alloc(64, 128)));
    EXPECT_EQ(trap.count(), expected(7));
    ASSERT_EQ(posix_memalign(&memory, 64, 128), 0);
    std::free(used(memory));
    EXPECT_EQ(trap.count(), expected(9));
}

TEST(AllocationTrap, CountsNewAndDelete) {
    const AllocationTrap trap;
    ::operator delete(used(::operator new(10)));
    EXPECT_EQ(trap.count(), expected(2));
    ::operator delete(used(::operator new(10, std::align_val_t{64})), std::align_val_t{64});
    EXPECT_EQ(trap.count(), expected(4));
}

TEST(AllocationTrap, CountsWhatTheLibrariesAllocate) {
    const AllocationTrap trap;
    const std::string text(100, 'x');
    EXPECT_EQ(used(const_cast<char*>(text.data())), text.data());
    EXPECT_EQ(trap.count(), expected(1));
}

TEST(AllocationTrap, CountsOnlyItsOwnThread) {
    std::uint64_t other = 0;
    std::thread thread{[&] {
        const AllocationTrap trap;
        std::free(used(std::malloc(10)));
        other = trap.count();
    }};
    const AllocationTrap trap;
    thread.join();
    const std::uint64_t mine = trap.count();
    EXPECT_EQ(other, expected(2));
    EXPECT_LE(mine, 1U) << "join() may free only the handle of the thread";
}

}  // namespace
}  // namespace rta::test::allocation_trap_test
