// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <string>

#include "engine/renderer.h"
#include "io/device_request.h"
#include "io/running_device.h"
#include "rt/audio_thread.h"
#include "text/error.h"

namespace rta::io {

/// The engine that a device is to drive.
struct DrivenEngine {
    AudioThreadGate& gate;
    Renderer& renderer;
};

/// Result of an attempt to open a device: a running device that waits for its grant, or the reasons why it could not be opened.
struct Opening {
    RunningDevice running{};
    std::string refusals{};                   ///< of the devices that failed, a sentence each
    ErrorCode code = ErrorCode::unavailable;  ///< of the last refusal
    bool any_tried = false;                   ///< at least one device was found and tried

    void refuse(const Error& error);
};

/// Tries the devices of one kind that may satisfy `request`, and adds the result to `opening`. A device plays silence
/// until it has shown that it can serve as a clock. Ends early when `cancelled` is set. [device thread]
void open_device(const DrivenEngine& engine, const DeviceKind& kind, DeviceDriver& driver, const DeviceRequest& request,
                 const std::atomic<bool>& cancelled, Opening& opening);

/// Opens a device of a kind whose calls do not block, and gives it the engine before it starts. [any]
[[nodiscard]] Expected<RunningDevice> start_directly(const DrivenEngine& engine, const DeviceKind& kind,
                                                     DeviceDriver& driver, const DeviceRequest& request);

}  // namespace rta::io
