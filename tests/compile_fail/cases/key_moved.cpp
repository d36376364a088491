// SPDX-License-Identifier: MIT
// layers: rt
// gcc: use of deleted function .*AudioThreadKey\(const rta::AudioThreadKey&\)
// clang: call to deleted constructor of '.*AudioThreadKey'
#include <utility>

#include "rt/audio_thread.h"

void callback(rta::AudioThreadKey& key) {
#ifdef RTA_FAULT
    const rta::AudioThreadKey kept{std::move(key)};
#endif
    rta::AudioThreadKey& borrowed = key;
    static_cast<void>(borrowed);
}
