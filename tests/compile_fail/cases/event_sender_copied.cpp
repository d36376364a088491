// SPDX-License-Identifier: MIT
// layers: engine
// gcc: use of deleted function .*EventSender\(const rta::EventSender&\)
// clang: call to implicitly-deleted copy constructor of .*EventSender
// A ring has two ends, each with one owner.
#include <utility>

#include "engine/messages.h"

rta::EventSender hand_over(rta::EventSender& end) {
#ifdef RTA_FAULT
    const auto second = end;
#endif
    return std::move(end);
}
