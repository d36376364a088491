// SPDX-License-Identifier: MIT
// layers: engine
// gcc: use of deleted function .*CommandReceiver\(const rta::CommandReceiver&\)
// clang: call to implicitly-deleted copy constructor of .*CommandReceiver
// A ring has two ends, each with one owner.
#include <utility>

#include "engine/messages.h"

rta::CommandReceiver hand_over(rta::CommandReceiver& end) {
#ifdef RTA_FAULT
    const auto second = end;
#endif
    return std::move(end);
}
