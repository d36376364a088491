// SPDX-License-Identifier: MIT
// layers: rt
// gcc: use of deleted function .*Claim\(const rta::AudioThreadGate::Claim&\)
// clang: call to deleted constructor of '.*Claim'
// Two claims of one gate would release it twice.
#include "rt/audio_thread.h"

bool render(rta::AudioThreadGate& gate, rta::AudioThreadGate::Generation generation) {
    const auto claim = gate.try_claim(generation);
#ifdef RTA_FAULT
    const auto second = claim;
#endif
    return static_cast<bool>(claim);
}
