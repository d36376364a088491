// SPDX-License-Identifier: MIT
// layers: engine
// gcc: no matching function for call to .*EventSender::try_send\(
// clang: too few arguments to function call, expected 2, have 1
#include "engine/messages.h"

bool send(rta::EventSender& events, const rta::AudioThreadKey& key, const rta::Event& event) RTA_NONBLOCKING {
#ifdef RTA_FAULT
    static_cast<void>(key);
    return events.try_send(event);
#else
    return events.try_send(key, event);
#endif
}
