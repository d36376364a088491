// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "support/daemon.h"
#include "support/temporary.h"
#include "support/wav.h"

namespace rta::test {

/// 20 ms at 48 kHz: how long the device fades out before rtad ends.
inline constexpr std::size_t kDeviceFadeFrames = 960;

/// rtad on the null device, whose samples are kept in a WAV file.
class RecordedDaemon {
 public:
    struct Options {
        std::string graph{};  ///< document to begin with
        std::vector<std::string> arguments{};
    };

    explicit RecordedDaemon(const Options& options);

    [[nodiscard]] Daemon& daemon() { return *daemon_; }
    /// Waits, by the engine's own clock, until that many frames have been rendered.
    void wait_for_frame(std::uint64_t frame);
    /// Ends rtad with SIGTERM, which must succeed, and returns all samples that were handed to the device.
    [[nodiscard]] Wav stop();

 private:
    TemporaryDirectory directory_;
    std::unique_ptr<Daemon> daemon_;
};

/// `rtad render` of a document, float32. Throws std::runtime_error if it fails.
[[nodiscard]] Wav render(const std::string& document, double duration_s, std::vector<std::string> arguments = {});

}  // namespace rta::test
