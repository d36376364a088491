// SPDX-License-Identifier: MIT
#include "support/failing_allocations.h"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace rta::test {

constinit thread_local std::size_t allocations_left = kNeverFails;

}  // namespace rta::test

namespace {

void* allocate(std::size_t size, std::size_t alignment) {
    using rta::test::allocations_left;
    if (allocations_left == 0) throw std::bad_alloc{};
    if (allocations_left != rta::test::kNeverFails) --allocations_left;
    void* const memory = std::aligned_alloc(alignment, (size + alignment) / alignment * alignment);
    if (memory == nullptr) throw std::bad_alloc{};
    return memory;
}

}  // namespace

// GCC takes free() for a mismatch where it inlines these.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif
// The other forms call these.
void* operator new(std::size_t size) { return allocate(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
