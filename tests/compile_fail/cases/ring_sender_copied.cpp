// SPDX-License-Identifier: MIT
// layers: rt
// gcc: use of deleted function .*RingSender
// clang: call to deleted constructor of .*RingSender
// A ring has one sender; its end is move-only.
#include <utility>

#include "rt/spsc_ring.h"

bool send(rta::RingSender<int>& end) {
#ifdef RTA_FAULT
    auto second = end;
#endif
    auto moved = std::move(end);
    return moved.try_push(1);
}
