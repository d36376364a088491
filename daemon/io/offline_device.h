// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dsp/audio_buffer.h"
#include "io/audio_device.h"
#include "io/file_source.h"
#include "io/offline_output.h"

namespace rta::io {

/// Renders from a file to a file as fast as possible, on the calling thread: time passes only in advance().
/// [one thread]
class OfflineDevice final : public AudioDevice {
 public:
    struct Config {
        std::uint32_t sample_rate_hz = 48'000;
        std::uint32_t block_size = 64;
        std::uint32_t channels_in = 0;  ///< a mono file feeds all of them; of other files, missing channels are silent
        std::string input_file = {};    ///< followed by silence; empty: no input
        OfflineOutput::Config output = {};  ///< at the same sample rate
        /// Runs before each block, for what must not be late; an error ends the rendering. nullptr: nothing.
        std::function<Expected<void>()> before_block = nullptr;
    };

    /// INVALID_ARGUMENT if the input is not usable or is also the output; NOT_FOUND or UNAVAILABLE if a file cannot be
    /// opened; all name the file. The output is created last.
    [[nodiscard]] static Expected<std::unique_ptr<OfflineDevice>> open(const Config& config);

    [[nodiscard]] const DeviceDescription& description() const noexcept override { return description_; }
    [[nodiscard]] Expected<void> start(BlockAdapter& adapter) override;
    /// Renders up to kPieceFrames frames, in whole blocks and in whole quanta of LevelTap. Does nothing after the end.
    [[nodiscard]] Expected<void> advance();
    /// Returns whether everything that belongs into the file has been rendered.
    [[nodiscard]] bool ended() const noexcept { return frame_ >= output_.end(); }
    /// Completes the file. Only its result shows whether the file is complete.
    [[nodiscard]] Expected<void> finish();
    void stop() override {}

    /// Returns the number of frames rendered so far.
    [[nodiscard]] std::uint64_t frames() const noexcept { return frame_; }
    [[nodiscard]] const std::optional<FileSource>& source() const noexcept { return source_; }
    [[nodiscard]] const OfflineOutput& output() const noexcept { return output_; }

 private:
    static constexpr std::uint32_t kPieceFrames = 8192;

    OfflineDevice(const Config& config, std::optional<FileSource> source, OfflineOutput output);
    [[nodiscard]] std::uint32_t next_frames() const;
    [[nodiscard]] Expected<std::size_t> read_input(std::uint32_t frames);
    void spread(std::size_t frames_read, std::uint32_t frames);
    [[nodiscard]] Expected<void> process(std::uint32_t frames);

    DeviceDescription description_;
    std::uint32_t quantum_frames_;
    std::optional<FileSource> source_;
    OfflineOutput output_;
    BlockAdapter* adapter_ = nullptr;
    std::uint64_t frame_ = 0;  ///< the next one
    bool input_ended_ = false;
    AudioBuffer input_;
    AudioBuffer rendered_;
    std::vector<const float*> inputs_;  ///< into input_
    std::vector<float*> outputs_;       ///< into rendered_
    std::vector<float> interleaved_;    ///< a piece of the file
    std::function<Expected<void>()> before_block_;
    std::uint32_t block_size_;
};

}  // namespace rta::io
