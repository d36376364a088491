// SPDX-License-Identifier: MIT
#include "app/memory_left.h"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace rta::app {
namespace {

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

/// Of a file of lines like `MemAvailable:    1234 kB`.
std::optional<std::uint64_t> bytes_in(const char* path, std::string_view key) {
    std::ifstream file{path};
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with(key)) continue;
        return std::stoull(line.substr(key.size())) * 1024;
    }
    return std::nullopt;
}

std::uint64_t of_machine() { return bytes_in("/proc/meminfo", "MemAvailable:").value_or(kUnlimited); }

std::uint64_t of_address_space() {
    rlimit limit{};
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kUnlimited;
    const std::uint64_t used = bytes_in("/proc/self/status", "VmSize:").value_or(0);
    return limit.rlim_cur - std::min<std::uint64_t>(used, limit.rlim_cur);
}

/// The folder of this process in the unified hierarchy; empty if there is none.
std::string control_group() {
    std::ifstream file{"/proc/self/cgroup"};
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("0::")) return "/sys/fs/cgroup" + line.substr(3);
    }
    return {};
}

/// A file that holds one number; nullopt where there is none, or no number (`max`).
std::optional<std::uint64_t> number_in(const std::string& path) {
    std::ifstream file{path};
    std::uint64_t number = 0;
    if (file >> number) return number;
    return std::nullopt;
}

std::uint64_t of_control_group() {
    static const std::string folder = control_group();
    if (folder.empty()) return kUnlimited;
    const auto limit = number_in(folder + "/memory.max");
    const auto used = number_in(folder + "/memory.current");
    if (!limit || !used) return kUnlimited;
    return *limit - std::min(*used, *limit);
}

}  // namespace

std::uint64_t memory_left_bytes() { return std::min({of_machine(), of_address_space(), of_control_group()}); }

}  // namespace rta::app
