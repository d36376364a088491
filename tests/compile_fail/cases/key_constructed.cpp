// SPDX-License-Identifier: MIT
// layers: rt
// gcc: AudioThreadKey::AudioThreadKey\(\).* is private within this context
// clang: calling a private constructor of class 'rta::AudioThreadKey'
// Only the gate creates a key.
#include "rt/audio_thread.h"

bool render(rta::AudioThreadGate& gate, rta::AudioThreadGate::Generation generation) {
#ifdef RTA_FAULT
    const rta::AudioThreadKey forged;
#endif
    const auto claim = gate.try_claim(generation);
    return static_cast<bool>(claim);
}
