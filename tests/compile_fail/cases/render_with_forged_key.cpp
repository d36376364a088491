// SPDX-License-Identifier: MIT
// layers: engine
// gcc: AudioThreadKey::AudioThreadKey\(\).* is private within this context
// clang: calling a private constructor of class 'rta::AudioThreadKey'
#include "engine/renderer.h"

void callback(rta::Renderer& renderer, const rta::AudioThreadKey& key, const rta::DeviceBlock& device) RTA_NONBLOCKING {
#ifdef RTA_FAULT
    static_cast<void>(key);
    renderer.render({}, device);
#else
    renderer.render(key, device);
#endif
}
