// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/block_adapter.h"
#include "status/status.h"
#include "text/error.h"

namespace rta::io {

/// Calls a BlockAdapter at the rate of a clock: a sound card, a timer, or a caller that renders a file.
///
/// Each function states which thread may call it. Calls into an audio library may block for any length of time, so
/// devices of a library are controlled by the device thread, never by the control thread.
class AudioDevice {
 public:
    AudioDevice() = default;
    AudioDevice(const AudioDevice&) = delete;
    AudioDevice& operator=(const AudioDevice&) = delete;
    /// The device must have been stopped. [device thread]
    virtual ~AudioDevice() = default;

    /// [any]
    [[nodiscard]] virtual const DeviceDescription& description() const noexcept = 0;
    /// Starts to call `adapter`, which must outlive the matching stop(). UNAVAILABLE with the driver's message if the
    /// driver refuses. [device thread]
    [[nodiscard]] virtual Expected<void> start(BlockAdapter& adapter) = 0;
    /// Plays what the driver still buffers, then stops. The adapter is not called after this returns. [device thread]
    virtual void stop() = 0;
    /// [any]
    [[nodiscard]] virtual DeviceLatency latency() const noexcept { return {}; }

    /// Returns why the driver has ended the stream, as the end of a sentence about the device; nullopt while it runs.
    /// [control]
    [[nodiscard]] virtual std::optional<std::string> end_of_stream() const { return std::nullopt; }
    /// Returns whether serve() has something to do. [control]
    [[nodiscard]] virtual bool needs_service() const noexcept { return false; }
    /// Does what may block, such as connecting ports that have appeared. [device thread]
    virtual void serve() {}
    /// Explains, in a sentence, why the calling thread has no real-time priority. Called only if it has none. [control]
    [[nodiscard]] virtual std::string why_not_realtime() const {
        return "the audio driver runs its thread without real-time priority; granting CAP_SYS_NICE or a limit on "
               "real-time priority (LimitRTPRIO=) may allow it";
    }
    /// Returns a problem that occurred since the last call and that does not affect the audio, such as a file that
    /// cannot be written. [control]
    [[nodiscard]] virtual std::optional<std::string> take_warning() { return std::nullopt; }
    /// Returns the number of frames of a recording that silence replaced, because the disk could not keep up. [any]
    [[nodiscard]] virtual std::uint64_t lost_frames() const noexcept { return 0; }
    /// Returns true after stop() if the recording is incomplete, as a warning has reported. [control]
    [[nodiscard]] virtual bool failed() const noexcept { return false; }
};

}  // namespace rta::io
