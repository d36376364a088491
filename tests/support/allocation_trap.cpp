// SPDX-License-Identifier: MIT
#include "support/allocation_trap.h"

#include <cerrno>
#include <cstddef>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RTA_OWN_ALLOCATOR 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(realtime_sanitizer) || \
    __has_feature(memory_sanitizer)
#define RTA_OWN_ALLOCATOR 0
#endif
#endif
#ifndef RTA_OWN_ALLOCATOR
#define RTA_OWN_ALLOCATOR 1
#endif

namespace {

/// Thread-local in the executable, so it needs no allocation: the memory of such variables is reserved when a thread
/// starts.
thread_local constinit std::uint64_t calls = 0;

}  // namespace

namespace rta::test {

bool allocation_trap_active() { return RTA_OWN_ALLOCATOR != 0; }

AllocationTrap::AllocationTrap() : at_start_{calls} {}

std::uint64_t AllocationTrap::count() const { return calls - at_start_; }

}  // namespace rta::test

#if RTA_OWN_ALLOCATOR
// The definitions in the program replace those of the C library, also for shared libraries (operator new of libstdc++
// calls malloc). They count the call and forward it to the C library's alternative names of the same functions.
extern "C" {

// NOLINTBEGIN(bugprone-reserved-identifier): the C library's names.
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* memory);
// NOLINTEND(bugprone-reserved-identifier)

void* malloc(std::size_t size) noexcept {
    ++calls;
    return __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) noexcept {
    ++calls;
    return __libc_calloc(count, size);
}

void* realloc(void* memory, std::size_t size) noexcept {
    ++calls;
    return __libc_realloc(memory, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    ++calls;
    return __libc_memalign(alignment, size);
}

void* memalign(std::size_t alignment, std::size_t size) noexcept {
    ++calls;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
    ++calls;
    const bool valid = alignment % sizeof(void*) == 0 && alignment != 0 && (alignment & (alignment - 1)) == 0;
    if (!valid) return EINVAL;
    void* const allocated = __libc_memalign(alignment, size);
    if (allocated == nullptr) return ENOMEM;
    *memory = allocated;
    return 0;
}

void free(void* memory) noexcept {
    ++calls;
    __libc_free(memory);
}

}  // extern "C"
#endif
