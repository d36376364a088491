// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/block_adapter.h"
#include "status/status.h"
#include "text/error.h"

namespace rta::io {

/// Something that calls a BlockAdapter at the pace of a clock: a sound card, a timer, or whoever renders a file.
///
/// Opened by whoever makes it. Each function says which thread may call it: those of a host library block for as long
/// as they like, so a device that belongs to one is driven by the device thread, never by the control thread.
class AudioDevice {
 public:
    AudioDevice() = default;
    AudioDevice(const AudioDevice&) = delete;
    AudioDevice& operator=(const AudioDevice&) = delete;
    /// [device thread] A device is stopped before it is destroyed.
    virtual ~AudioDevice() = default;

    /// [any]
    [[nodiscard]] virtual const DeviceDescription& description() const noexcept = 0;
    /// [device thread] From now on `adapter` is called; it must outlive the stop() that follows. UNAVAILABLE if the
    /// host refuses, with what it said.
    [[nodiscard]] virtual Expected<void> start(BlockAdapter& adapter) = 0;
    /// [device thread] Plays what the host still holds, then ends. The adapter is not called after it has returned.
    virtual void stop() = 0;
    /// [any]
    [[nodiscard]] virtual DeviceLatency latency() const noexcept { return {}; }

    /// [any] The host has said that it will not call again.
    [[nodiscard]] virtual bool finished() const noexcept { return false; }
    /// [device thread] Asks the host whether it still means to call.
    [[nodiscard]] virtual bool active() { return true; }
    /// [any] Whether stop() may be called after the device was lost. Some hosts hang or abort the process instead.
    [[nodiscard]] virtual bool can_stop_when_lost() const noexcept { return true; }
    /// [control] Asked where the thread that calls has no real-time priority: a sentence.
    [[nodiscard]] virtual std::string why_not_realtime() const {
        return "the host gives its audio thread no real-time priority; CAP_SYS_NICE or a limit on real-time priority "
               "(LimitRTPRIO=) may let it";
    }
    /// [control] What went wrong beside the sound since the last call, in a sentence: a file that cannot be written.
    [[nodiscard]] virtual std::optional<std::string> take_warning() { return std::nullopt; }
    /// [control] After stop(): what it was to keep is not whole, as a warning has said.
    [[nodiscard]] virtual bool failed() const noexcept { return false; }
};

}  // namespace rta::io
