// SPDX-License-Identifier: MIT
#pragma once

namespace rta::os {

/// Lets the calling thread run after those of ordinary priority, if the system allows it: nice 10.
void lower_thread_priority();

}  // namespace rta::os
