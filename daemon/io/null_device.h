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

/// Device without hardware: a thread that calls the adapter once per block, at absolute deadlines of the monotonic
/// clock. Its input is silence; its output is written to a WAV file or discarded. Its functions call no audio library,
/// so any thread may call them.
class NullDevice final : public AudioDevice {
 public:
    struct Config {
        std::uint32_t sample_rate_hz = 48'000;
        std::uint32_t block_size = 64;
        std::uint32_t channels_in = 0;
        std::uint32_t channels_out = 2;
        std::string file;  ///< WAV file to write; empty: none
        ExistingFile existing_file = ExistingFile::overwrite;
    };

    /// UNAVAILABLE, naming the file, if it cannot be written.
    [[nodiscard]] static Expected<std::unique_ptr<NullDevice>> open(const Config& config);
    ~NullDevice() override;

    [[nodiscard]] const DeviceDescription& description() const noexcept override { return description_; }
    [[nodiscard]] Expected<void> start(BlockAdapter& adapter) override;
    /// Stops within one block and completes the file.
    void stop() override;
    [[nodiscard]] std::string why_not_realtime() const override;
    [[nodiscard]] std::optional<std::string> take_warning() override;
    [[nodiscard]] std::uint64_t lost_frames() const noexcept override {
        return recorder_ ? recorder_->dropped_frames() : 0;
    }
    [[nodiscard]] bool failed() const noexcept override { return recorder_ && recorder_->failed(); }

 private:
    NullDevice(const Config& config, std::unique_ptr<WavRecorder> recorder);
    void run(BlockAdapter& adapter);

    DeviceDescription description_;
    std::uint32_t block_size_;
    std::unique_ptr<WavRecorder> recorder_;
    AudioBuffer input_;   ///< silence
    AudioBuffer output_;  ///< the thread's

    // relaxed: a flag that may be seen a block later, and a number for display; nothing else is ordered by them.
    std::atomic<bool> stop_{false};
    std::atomic<int> priority_refusal_{0};  ///< errno
    std::thread thread_;
};

}  // namespace rta::io
