// SPDX-License-Identifier: MIT
// layers: engine
// gcc: use of deleted function .*CommandSender\(const rta::CommandSender&\)
// clang: call to implicitly-deleted copy constructor of .*CommandSender
// A ring has two ends, each with one owner.
#include <utility>

#include "engine/messages.h"

rta::CommandSender hand_over(rta::CommandSender& end) {
#ifdef RTA_FAULT
    const auto second = end;
#endif
    return std::move(end);
}
