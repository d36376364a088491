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

/// Renders a file as fast as it can, on the thread that asks for it: time passes when advance() is called. [one thread]
class OfflineDevice final : public AudioDevice {
 public:
    struct Config {
        std::uint32_t sample_rate_hz = 48'000;
        std::uint32_t block_size = 64;
        std::uint32_t channels_out = 2;  ///< 1 or more
        std::string output_file;         ///< float32 WAV
        std::string input_file;          ///< any sound file of the same rate, followed by silence; empty: no input
    };

    /// INVALID_ARGUMENT where the input's rate is another; NOT_FOUND, UNAVAILABLE naming the file.
    [[nodiscard]] static Expected<std::unique_ptr<OfflineDevice>> open(const Config& config);

    [[nodiscard]] const DeviceDescription& description() const noexcept override { return description_; }
    [[nodiscard]] Expected<void> start(BlockAdapter& adapter) override;
    /// Renders and writes `frames`. The engine is run in whole blocks; frames that a block renders beyond what was
    /// asked for are written by the next call, if there is one.
    [[nodiscard]] Expected<void> advance(std::uint64_t frames);
    /// Completes the file. Only its result says whether the file is whole.
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
