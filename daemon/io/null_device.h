// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "dsp/audio_buffer.h"
#include "io/audio_device.h"
#include "io/wav_recorder.h"

namespace rta::io {

/// A device without hardware: a thread that calls the adapter block by block at absolute deadlines of the monotonic
/// clock. Hears silence; what it is handed goes into a WAV file, or nowhere. Its functions call no host library, so any
/// thread may drive it.
class NullDevice final : public AudioDevice {
 public:
    struct Config {
        std::uint32_t sample_rate_hz = 48'000;
        std::uint32_t block_size = 64;
        std::uint32_t channels_in = 0;
        std::uint32_t channels_out = 2;
        std::string file;  ///< WAV to write; empty: none
        OlderRecording older = OlderRecording::overwritten;
    };

    /// UNAVAILABLE, naming the file, if it cannot be written.
    [[nodiscard]] static Expected<std::unique_ptr<NullDevice>> open(const Config& config);
    ~NullDevice() override;

    [[nodiscard]] const DeviceDescription& description() const noexcept override { return description_; }
    [[nodiscard]] Expected<void> start(BlockAdapter& adapter) override;
    /// Ends within a block, and completes the file.
    void stop() override;
    [[nodiscard]] std::string why_not_realtime() const override;
    [[nodiscard]] std::optional<std::string> take_warning() override;
    [[nodiscard]] bool failed() const noexcept override { return recorder_ && recorder_->failed(); }

 private:
    NullDevice(const Config& config, std::unique_ptr<WavRecorder> recorder);
    void run(BlockAdapter& adapter);

    DeviceDescription description_;
    std::uint32_t block_size_;
    std::unique_ptr<WavRecorder> recorder_;
    AudioBuffer input_;   ///< silence
    AudioBuffer output_;  ///< the thread's

    // relaxed: numbers for people and a flag that may be seen a block later; nothing else is ordered by them.
    std::atomic<bool> stop_{false};
    std::atomic<int> priority_refusal_{0};  ///< errno
    std::thread thread_;
};

}  // namespace rta::io
