// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <string>

#include "rt/annotations.h"

namespace rta::io {

/// SCHED_FIFO priority of audio threads that the daemon creates: above ordinary threads and most driver threads, below
/// the kernel's watchdogs.
inline constexpr int kAudioThreadPriority = 70;

/// Returns the kernel's id of the calling thread. One system call, which cannot block; made once per device. [any]
[[nodiscard]] pid_t current_thread_id() RTA_NONBLOCKING;

/// Writes to the stack below the caller, so that none of its pages is first touched in the middle of a block. [any]
void touch_stack() RTA_NONBLOCKING;

/// Requests SCHED_FIFO for the calling thread, at kAudioThreadPriority or the highest priority that the limit allows.
/// Returns 0, or the errno of the refusal. [any]
[[nodiscard]] int ask_for_realtime_priority() noexcept;

/// Scheduling of a thread, as read back from the kernel.
struct ThreadScheduling {
    std::string policy;  ///< "SCHED_FIFO 70", "SCHED_OTHER"; empty without such a thread
    bool realtime = false;
};

/// [control]
[[nodiscard]] ThreadScheduling scheduling_of(pid_t thread_id);

}  // namespace rta::io
