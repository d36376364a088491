// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <string>

#include "rt/annotations.h"

namespace rta::io {

/// SCHED_FIFO priority that is asked for where the audio thread is ours: above ordinary threads and most drivers'
/// threads, below the kernel's watchdogs.
inline constexpr int kAudioThreadPriority = 70;

/// [any] The kernel's id of the calling thread. One system call that cannot wait; made once a device.
[[nodiscard]] pid_t current_thread_id() RTA_NONBLOCKING;

/// [any] Writes to the stack below the caller, so that a page of it is not first touched in the middle of a block.
void touch_stack() RTA_NONBLOCKING;

/// [any] Asks for SCHED_FIFO at kAudioThreadPriority, or as much of it as the limit allows, for the calling thread.
/// Returns 0, or the errno of the refusal.
[[nodiscard]] int ask_for_realtime_priority() noexcept;

/// How a thread is scheduled, as read back from the kernel.
struct ThreadScheduling {
    std::string policy;  ///< "SCHED_FIFO 70", "SCHED_OTHER"; empty where there is no such thread
    bool realtime = false;
};

/// [control]
[[nodiscard]] ThreadScheduling scheduling_of(pid_t thread_id);

}  // namespace rta::io
