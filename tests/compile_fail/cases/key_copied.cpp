// SPDX-License-Identifier: MIT
// layers: rt
// gcc: use of deleted function .*AudioThreadKey\(const rta::AudioThreadKey&\)
// clang: call to deleted constructor of '.*AudioThreadKey'
// A copy of a pass-key could outlive the callback that claimed the gate.
#include "rt/audio_thread.h"

void callback(const rta::AudioThreadKey& key) {
#ifdef RTA_FAULT
    const rta::AudioThreadKey kept{key};
#endif
    const rta::AudioThreadKey& borrowed = key;
    static_cast<void>(borrowed);
}
