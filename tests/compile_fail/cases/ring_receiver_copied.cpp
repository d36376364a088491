// SPDX-License-Identifier: MIT
// layers: rt
// gcc: use of deleted function .*RingReceiver
// clang: call to deleted constructor of .*RingReceiver
#include <utility>

#include "rt/spsc_ring.h"

bool receive(rta::RingReceiver<int>& end) {
#ifdef RTA_FAULT
    auto second = end;
#endif
    auto moved = std::move(end);
    return moved.try_pop().has_value();
}
