// SPDX-License-Identifier: MIT
#include "app/realtime.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>

namespace rta::app {
namespace {

/// Of every thread that is started without saying otherwise, those of PortAudio included.
constexpr std::size_t kStackBytes = std::size_t{256} * 1024;

void raise_to_hard_limit(int resource) {
    rlimit limit{};
    // __rlimit_resource_t is an enumeration in C++; the argument is one of its names.
    const auto which = static_cast<__rlimit_resource_t>(resource);
    if (getrlimit(which, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(which, &limit);
}

/// A socket that became descriptor 2 would be sent the log.
void open_standard_streams() {
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        // The lowest free number is taken, which is this one.
        if (fcntl(descriptor, F_GETFD) == -1) static_cast<void>(open("/dev/null", O_RDWR));
    }
}

/// Whether no limit on locked memory applies to this process.
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

}  // namespace

void prepare_process() {
    open_standard_streams();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    raise_to_hard_limit(RLIMIT_NOFILE);
    raise_to_hard_limit(RLIMIT_MEMLOCK);
    raise_to_hard_limit(RLIMIT_RTPRIO);

    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, kStackBytes);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);

    // An arena for each thread would keep what each of them once needed.
    mallopt(M_ARENA_MAX, 2);
}

MemoryLock lock_memory() {
    rlimit limit{};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    if (limit.rlim_cur != RLIM_INFINITY && !has_ipc_lock_capability()) {
        // Under a finite limit the lock might succeed now and make an allocation fail an hour later.
        return {.locked = false,
                .detail = "locked memory is limited to " + std::to_string(limit.rlim_cur / 1024) +
                          " KiB; CAP_IPC_LOCK or an unlimited LimitMEMLOCK= allows it"};
    }
    // On fault: what nobody touches, such as the rest of every stack, is not brought in just to be locked.
    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0) {
        return {.locked = false, .detail = std::string{"mlockall: "} + std::strerror(errno)};
    }
    return {.locked = true, .detail = {}};
}

void trim_memory() { malloc_trim(0); }

}  // namespace rta::app
