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

/// Duration of the fade-out of the device before rtad exits: 20 ms at 48 kHz.
inline constexpr std::size_t kDeviceFadeFrames = 960;

/// rtad on the null device, with its output recorded to a WAV file.
class RecordedDaemon {
 public:
    struct Options {
        std::string graph{};  ///< initial document
        std::vector<std::string> arguments{};
    };

    explicit RecordedDaemon(const Options& options);

    [[nodiscard]] Daemon& daemon() { return *daemon_; }
    /// Waits until the engine has rendered this number of frames.
    void wait_for_frame(std::uint64_t frame);
    /// Stops rtad with SIGTERM, which must succeed, and returns all samples written to the device.
    [[nodiscard]] Wav stop();

 private:
    TemporaryDirectory directory_;
    std::unique_ptr<Daemon> daemon_;
};

/// Runs `rtad render` with a document; returns float32 samples. Throws std::runtime_error if it fails.
[[nodiscard]] Wav render(const std::string& document, double duration_s, std::vector<std::string> arguments = {});

}  // namespace rta::test
