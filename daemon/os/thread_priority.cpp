// SPDX-License-Identifier: MIT
#include "os/thread_priority.h"

#include <sys/resource.h>
#include <unistd.h>

namespace rta::os {

void lower_thread_priority() {
    constexpr int kNice = 10;
    // On Linux, the priority is that of the thread.
    static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice));
}

}  // namespace rta::os
