// SPDX-License-Identifier: MIT
#include "io/audio_thread_setup.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

namespace rta::io {

// Clang treats every system call as blocking; gettid() only reads a number.
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wfunction-effects"
#endif
pid_t current_thread_id() RTA_NONBLOCKING { return gettid(); }
#if defined(__clang__)
#pragma clang diagnostic pop
#endif

[[gnu::noinline]] void touch_stack() RTA_NONBLOCKING {
    constexpr std::size_t kPage = 4096;
    constexpr std::size_t kDepth = std::size_t{64} * 1024;  // audio threads have at least 256 KB
    [[maybe_unused]] volatile std::byte stack[kDepth];
    for (std::size_t offset = 0; offset < kDepth; offset += kPage) stack[offset] = std::byte{0};
}

int ask_for_realtime_priority() noexcept {
    sched_param parameters{};
    parameters.sched_priority = kAudioThreadPriority;
    const int refused = pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters);
    if (refused == 0) return 0;
    rlimit limit{};
    if (getrlimit(RLIMIT_RTPRIO, &limit) != 0 || limit.rlim_cur == 0) return refused;
    parameters.sched_priority = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, kAudioThreadPriority));
    return pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters);
}

ThreadScheduling scheduling_of(pid_t thread_id) {
    const int policy = thread_id == 0 ? -1 : sched_getscheduler(thread_id);
    if (policy < 0) return {};
    sched_param parameters{};
    if (sched_getparam(thread_id, &parameters) != 0) return {};
    // The policy may include the reset-on-fork flag.
    switch (policy & ~SCHED_RESET_ON_FORK) {
        case SCHED_FIFO:
            return {"SCHED_FIFO " + std::to_string(parameters.sched_priority), true};
        case SCHED_RR:
            return {"SCHED_RR " + std::to_string(parameters.sched_priority), true};
        case SCHED_OTHER:
            return {"SCHED_OTHER", false};
        case SCHED_BATCH:
            return {"SCHED_BATCH", false};
        case SCHED_IDLE:
            return {"SCHED_IDLE", false};
        default:
            return {"policy " + std::to_string(policy), false};
    }
}

}  // namespace rta::io
