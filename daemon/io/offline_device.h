// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dsp/audio_buffer.h"
#include "io/audio_device.h"
#include "io/wav_file.h"

namespace rta::io {

/// Renders to a file as fast as possible, on the calling thread: time passes only in advance(). [one thread]
class OfflineDevice final : public AudioDevice {
 public:
    struct Config {
        std::uint32_t sample_rate_hz = 48'000;
        std::uint32_t block_size = 64;
        std::uint32_t channels_out = 2;  ///< 1 or more
        std::string output_file;         ///< float32 WAV
        std::string input_file;          ///< sound file of the same sample rate, followed by silence; empty: no input
    };

    /// INVALID_ARGUMENT if the input has another sample rate; NOT_FOUND or UNAVAILABLE, naming the file.
    [[nodiscard]] static Expected<std::unique_ptr<OfflineDevice>> open(const Config& config);

    [[nodiscard]] const DeviceDescription& description() const noexcept override { return description_; }
    [[nodiscard]] Expected<void> start(BlockAdapter& adapter) override;
    /// Renders and writes `frames` frames. The engine runs in whole blocks; surplus frames of the last block are
    /// written by the next call.
    [[nodiscard]] Expected<void> advance(std::uint64_t frames);
    /// Completes the file. Only its result shows whether the file is complete.
    [[nodiscard]] Expected<void> finish();
    void stop() override {}

 private:
    OfflineDevice(const Config& config, std::optional<SoundReader> reader, WavWriter writer);
    void render_block();
    void read_input();

    DeviceDescription description_;
    std::uint32_t block_size_;
    std::optional<SoundReader> reader_;
    WavWriter writer_;
    BlockAdapter* adapter_ = nullptr;
    AudioBuffer input_;
    AudioBuffer output_;
    std::vector<const float*> inputs_;  ///< into input_
    std::vector<float*> outputs_;       ///< into output_
    std::vector<float> interleaved_input_;
    std::vector<float> interleaved_output_;
    std::uint32_t unwritten_ = 0;  ///< frames at the end of interleaved_output_
};

}  // namespace rta::io
