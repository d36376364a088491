// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/audio_device.h"
#include "io/device_request.h"
#include "text/error.h"

namespace rta::io {

/// A host library: it lists devices and opens them. Every call may block for as long as the library likes, so all of
/// them are made by the device thread. [device thread]
class DeviceHost {
 public:
    /// A device that might serve a request; `open` tries.
    struct Candidate {
        std::string name;
        std::function<Expected<std::unique_ptr<AudioDevice>>()> open;
    };

    DeviceHost() = default;
    DeviceHost(const DeviceHost&) = delete;
    DeviceHost& operator=(const DeviceHost&) = delete;
    virtual ~DeviceHost() = default;

    /// Every device that there is. UNAVAILABLE if the library cannot say.
    [[nodiscard]] virtual Expected<std::vector<DeviceInfo>> list() = 0;
    /// The devices to try, best first: the one that is named, or else the defaults. Never empty: an error says why.
    [[nodiscard]] virtual Expected<std::vector<Candidate>> candidates(const DeviceRequest& request) = 0;
    /// Takes leave of the library, after every device was stopped: a sound server that others use must see the daemon
    /// go. Not to be called once a device was lost. Whatever is called after it begins anew.
    virtual void close() = 0;
};

}  // namespace rta::io
