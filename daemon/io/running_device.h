// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "io/audio_device.h"
#include "io/block_adapter.h"
#include "io/device_kind.h"

namespace rta::io {

/// A device and the adapter that it calls. The device must be stopped before this is destroyed.
struct RunningDevice {
    const DeviceKind* kind = nullptr;
    std::unique_ptr<BlockAdapter> adapter;
    std::unique_ptr<AudioDevice> device;  ///< after the adapter: destroyed first

    [[nodiscard]] explicit operator bool() const noexcept { return device != nullptr; }
    [[nodiscard]] const DeviceDescription& description() const noexcept { return device->description(); }
    /// Its driver may take it away, and people may hear it.
    [[nodiscard]] bool live() const noexcept { return kind->calls == DriverCalls::may_block; }
};

}  // namespace rta::io
