// SPDX-License-Identifier: MIT
#include "app/process_setup.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "dsp/simd.h"
#include "os/memory.h"
#include "text/quoting.h"

namespace rta::app {
namespace {

/// Default stack size of all threads, including those of PortAudio.
constexpr std::size_t kStackBytes = std::size_t{256} * 1024;

/// Descriptors for clients that were refused, and for the daemon's own files, sockets and devices.
constexpr std::uint64_t kOwnDescriptors = 256;

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

void raise_to_hard_limit(int resource) {
    rlimit limit{};
    // __rlimit_resource_t is an enumeration in C++; the argument is one of its names.
    const auto which = static_cast<__rlimit_resource_t>(resource);
    if (getrlimit(which, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(which, &limit);
}

/// Otherwise a socket could become descriptor 2 and receive the log.
void open_standard_streams() {
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        // open() returns the lowest free number, which is this one.
        if (fcntl(descriptor, F_GETFD) == -1) static_cast<void>(open("/dev/null", O_RDWR));
    }
}

/// With this capability, RLIMIT_MEMLOCK does not apply to the process.
[[nodiscard]] bool has_ipc_lock_capability() {
    constexpr unsigned kCapIpcLock = 14;
    std::ifstream status{"/proc/self/status"};
    for (std::string word; status >> word;) {
        if (word != "CapEff:") continue;
        std::uint64_t effective = 0;
        status >> std::hex >> effective;
        return (effective >> kCapIpcLock & 1U) != 0;
    }
    return false;
}

/// Reads a value from a file of lines such as `MemAvailable:    1234 kB`.
std::optional<std::uint64_t> bytes_in(const char* path, std::string_view key) {
    std::ifstream file{path};
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with(key)) continue;
        return std::stoull(line.substr(key.size())) * 1024;
    }
    return std::nullopt;
}

std::uint64_t available_on_machine() { return bytes_in("/proc/meminfo", "MemAvailable:").value_or(kUnlimited); }

std::uint64_t available_address_space() {
    rlimit limit{};
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kUnlimited;
    const std::uint64_t used = bytes_in("/proc/self/status", "VmSize:").value_or(0);
    return limit.rlim_cur - std::min<std::uint64_t>(used, limit.rlim_cur);
}

/// The files that hold the limit and the use of memory of the control group of this process.
struct MemoryGroup {
    std::string limit;
    std::string used;
};

/// Finds them in the hierarchy of the memory controller, or else in the unified one; nullopt if there is neither.
std::optional<MemoryGroup> memory_group() {
    std::ifstream file{"/proc/self/cgroup"};
    std::optional<MemoryGroup> unified;
    for (std::string line; std::getline(file, line);) {
        constexpr std::string_view kMemory = ":memory:";
        if (line.starts_with("0::")) {
            const std::string folder = "/sys/fs/cgroup" + line.substr(3);
            unified = MemoryGroup{folder + "/memory.max", folder + "/memory.current"};
        } else if (const auto at = line.find(kMemory); at != std::string::npos) {
            const std::string folder = "/sys/fs/cgroup/memory" + line.substr(at + kMemory.size());
            return MemoryGroup{folder + "/memory.limit_in_bytes", folder + "/memory.usage_in_bytes"};
        }
    }
    return unified;
}

/// Reads a file that holds one number. nullopt if it is missing or holds a word, such as `max`.
std::optional<std::uint64_t> number_in(const std::string& path) {
    std::ifstream file{path};
    std::uint64_t number = 0;
    if (file >> number) return number;
    return std::nullopt;
}

std::uint64_t available_in_control_group() {
    static const std::optional<MemoryGroup> group = memory_group();
    if (!group) return kUnlimited;
    const auto limit = number_in(group->limit);
    const auto used = number_in(group->used);
    if (!limit || !used) return kUnlimited;
    return *limit - std::min(*used, *limit);
}

/// Ignores what would end the process for no reason of its own: without the last save, and without a fade.
void ignore_signals() {
    for (const int number : {SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGSTKFLT})
        signal(number, SIG_IGN);
    for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) signal(number, SIG_IGN);
}

/// The second number of this file is the resident size in pages. It takes the kernel no walk through the memory.
std::uint64_t resident_bytes() {
    std::ifstream file{"/proc/self/statm"};
    std::uint64_t total_pages = 0;
    std::uint64_t resident_pages = 0;
    file >> total_pages >> resident_pages;
    return resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

double seconds_of(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

void prepare_process() {
    open_standard_streams();
    ignore_signals();
    raise_to_hard_limit(RLIMIT_NOFILE);
    raise_to_hard_limit(RLIMIT_MEMLOCK);
    raise_to_hard_limit(RLIMIT_RTPRIO);

    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, kStackBytes);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);

    // With one arena per thread, each arena would keep the peak memory use of its thread.
    mallopt(M_ARENA_MAX, 2);
    // Each edit of a large graph allocates and frees a plan of some MB. If its blocks went back to the system each time,
    // half of the time of a commit would be page faults. What is freed returns a little later: os::return_free_memory().
    // Larger blocks, such as long delays, are returned immediately.
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

Expected<void> choose_simd_target() {
    const char* const name = std::getenv("RTAD_SIMD");
    if (name == nullptr || dsp::use_simd_target(name)) return {};
    std::string known;
    for (const std::string_view target : dsp::simd_targets()) known.append(known.empty() ? "" : ", ").append(target);
    return fail(ErrorCode::invalid_argument,
                "RTAD_SIMD: unsupported SIMD target " + quoted(name) + ": this machine supports " + known);
}

MemoryLock lock_memory() {
    rlimit limit{};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    if (limit.rlim_cur != RLIM_INFINITY && !has_ipc_lock_capability()) {
        // With a finite limit, locking might succeed now and make an allocation fail an hour later.
        return {.locked = false,
                .detail = "locked memory is limited to " + std::to_string(limit.rlim_cur / 1024) +
                          " KiB; CAP_IPC_LOCK or an unlimited LimitMEMLOCK= allows it"};
    }
    if (!os::lock_memory()) {
        return {.locked = false, .detail = std::string{"mlockall: "} + std::strerror(errno)};
    }
    return {.locked = true, .detail = {}};
}

std::string descriptor_shortage(std::size_t clients) {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
    const std::uint64_t most = limit.rlim_cur - std::min<std::uint64_t>(limit.rlim_cur, kOwnDescriptors);
    if (clients <= most) return {};
    return "--max-clients " + std::to_string(clients) + " exceeds what the limit of " + std::to_string(limit.rlim_cur) +
           " open files allows: expected at most " + std::to_string(most) +
           ", or a higher limit (LimitNOFILE of the unit, or ulimit -n)";
}

double thread_time_s() { return seconds_of(CLOCK_THREAD_CPUTIME_ID); }

std::uint64_t random_number() {
    std::uint64_t number = 0;
    // Fails only on a system without a source of random numbers; then the time has to do.
    if (::getrandom(&number, sizeof number, GRND_NONBLOCK) == sizeof number) return number;
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_nsec) * 0x9E37'79B9'7F4A'7C15U;
}

std::uint64_t available_memory_bytes() {
    return std::min({available_on_machine(), available_address_space(), available_in_control_group()});
}

ProcessStatus process_status() {
    return {.resident_bytes = resident_bytes(),
            .available_bytes = available_memory_bytes(),
            .cpu_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID)};
}

}  // namespace rta::app
