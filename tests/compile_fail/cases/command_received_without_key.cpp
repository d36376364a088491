// SPDX-License-Identifier: MIT
// layers: engine
// gcc: no matching function for call to .*CommandReceiver::try_receive\(\)
// clang: too few arguments to function call, expected 1, have 0
// Only the holder of the pass-key can use the audio thread's ends of the rings.
#include "engine/messages.h"

bool receive(rta::CommandReceiver& commands, const rta::AudioThreadKey& key) RTA_NONBLOCKING {
#ifdef RTA_FAULT
    static_cast<void>(key);
    return commands.try_receive().has_value();
#else
    return commands.try_receive(key).has_value();
#endif
}
