// SPDX-License-Identifier: MIT
// layers: engine
// gcc: use of deleted function .*EventReceiver\(const rta::EventReceiver&\)
// clang: call to implicitly-deleted copy constructor of .*EventReceiver
// A ring has two ends, each with one owner.
#include <utility>

#include "engine/messages.h"

rta::EventReceiver hand_over(rta::EventReceiver& end) {
#ifdef RTA_FAULT
    const auto second = end;
#endif
    return std::move(end);
}
