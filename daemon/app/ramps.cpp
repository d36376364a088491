// SPDX-License-Identifier: MIT
#include "app/ramps.h"

namespace rta::app {

#if defined(RTA_NO_RAMPS)
bool engine_ramps() { return false; }
#else
bool engine_ramps() { return true; }
#endif

}  // namespace rta::app
