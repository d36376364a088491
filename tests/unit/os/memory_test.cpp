// SPDX-License-Identifier: MIT
#include "os/memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace rta::os {
namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20U;

std::size_t status_bytes(const std::string& key) {
    std::ifstream file{"/proc/self/status"};
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(key + ":")) return std::stoul(line.substr(key.size() + 1)) * 1024;
    }
    return 0;
}

/// Returns blocks of the heap, not of mmap().
std::vector<std::unique_ptr<char[]>> blocks(std::size_t bytes) {
    constexpr std::size_t kBlockBytes = 4'000;
    std::vector<std::unique_ptr<char[]>> blocks;
    while (blocks.size() * kBlockBytes < bytes) blocks.push_back(std::make_unique<char[]>(kBlockBytes));
    return blocks;
}

/// Frees 64 MB in front of a block that is still used, and returns by how much return_free_memory() lowers `key`.
std::size_t returned(const std::string& key) {
    auto freed = blocks(64 * kMegabyte);
    const auto used = blocks(1);
    freed.clear();
    const std::size_t before = status_bytes(key);
    return_free_memory(kMegabyte);
    const std::size_t after = status_bytes(key);
    return before - std::min(before, after);
}

TEST(MemoryTest, ReturnsFreeMemoryAgainAndAgain) {
    for (int round = 0; round < 3; ++round) EXPECT_GT(returned("VmRSS"), 56 * kMegabyte);
}

TEST(MemoryTest, ReturnsLockedMemoryAndKeepsTheRestLocked) {
    ASSERT_TRUE(lock_memory()) << "requires root, or a higher limit of locked memory (ulimit -l)";
    for (int round = 0; round < 3; ++round) EXPECT_GT(returned("VmRSS"), 56 * kMegabyte);
    // Locked pages cannot be dropped with MADV_DONTNEED.
    std::vector<char> used(8 * kMegabyte, 'x');
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t address = (reinterpret_cast<std::size_t>(used.data()) + page - 1) / page * page;
    EXPECT_EQ(madvise(reinterpret_cast<void*>(address), page, MADV_DONTNEED), -1);
    munlockall();
}

}  // namespace
}  // namespace rta::os
