// SPDX-License-Identifier: MIT
#include "os/memory.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <mutex>

namespace rta::os {
namespace {

/// On fault: pages that are never touched, such as the rest of each stack, are not loaded only to be locked.
constexpr int kLockFlags = MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT;

std::atomic<bool> memory_locked{false};

/// Free pages that are not resident count as free, too, so both values are needed to find out whether there is more to
/// return than before.
struct Usage {
    std::size_t free_bytes = 0;
    std::size_t resident_bytes = 0;

    static Usage now() {
        std::size_t pages = 0;
        std::size_t resident_pages = 0;
        std::ifstream{"/proc/self/statm"} >> pages >> resident_pages;
        return {.free_bytes = ::mallinfo2().fordblks,
                .resident_bytes = resident_pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))};
    }
};

}  // namespace

bool lock_memory() {
    if (::mlockall(kLockFlags) != 0) return false;
    memory_locked = true;
    return true;
}

void return_free_memory(std::size_t keep_bytes) {
    static std::mutex mutex;
    static Usage least;  // since the previous call that has returned memory
    const std::scoped_lock lock{mutex};
    const Usage usage = Usage::now();
    least.free_bytes = std::min(least.free_bytes, usage.free_bytes);
    least.resident_bytes = std::min(least.resident_bytes, usage.resident_bytes);
    if (usage.free_bytes < least.free_bytes + keep_bytes && usage.resident_bytes < least.resident_bytes + keep_bytes)
        return;
    // malloc_trim() returns pages with madvise(MADV_DONTNEED), which fails on locked memory.
    if (memory_locked) ::munlockall();
    ::malloc_trim(keep_bytes);
    if (memory_locked) ::mlockall(kLockFlags);
    least = Usage::now();
}

}  // namespace rta::os
