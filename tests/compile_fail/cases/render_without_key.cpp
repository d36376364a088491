// SPDX-License-Identifier: MIT
// layers: engine
// gcc: no matching function for call to .*Renderer::render\(
// clang: too few arguments to function call, expected 2, have 1
// Only the current audio thread renders.
#include "engine/renderer.h"

void callback(rta::Renderer& renderer, const rta::AudioThreadKey& key, const rta::DeviceBlock& device) RTA_NONBLOCKING {
#ifdef RTA_FAULT
    static_cast<void>(key);
    renderer.render(device);
#else
    renderer.render(key, device);
#endif
}
