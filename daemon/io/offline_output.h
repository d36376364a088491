// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dsp/audio_buffer.h"
#include "io/flac_writer.h"
#include "io/programme_meter.h"
#include "io/wav_file.h"

namespace rta::io {

/// Format of a rendered file.
enum class FileFormat : std::uint8_t {
    wav,   ///< 32-bit float
    flac,  ///< 24-bit
};

/// Returns the format that the extension of a file names, in any case. A path that exists and is not a regular file,
/// such as a device, is written as WAV. INVALID_ARGUMENT with the accepted extensions.
[[nodiscard]] Expected<FileFormat> format_of_file(const std::string& path);

/// Section of a rendering that is written to the file. In frames; those of the engine start at 0.
struct RenderExtent {
    /// Level below which the output has ended: -90 dBFS.
    static constexpr float kSilence = 3.162'277'7e-5F;

    std::uint64_t skipped = 0;                 ///< frames of the engine before the first one in the file
    std::uint64_t latency = 0;                 ///< of the graph: the end of the input leaves it this much later
    std::optional<std::uint64_t> length = {};  ///< of the file; otherwise the input and its tail
    std::optional<std::uint64_t> tail = {};    ///< after the end of the input has left the graph
    std::uint64_t longest_tail = 0;            ///< if `tail` is not given: until the output stays below kSilence
};

/// The file that a rendering is written to, and the levels of what is written.
class OfflineOutput {
 public:
    /// Adjacent channels that are measured together.
    struct Group {
        std::uint32_t first_channel;  ///< starting at 0
        std::uint32_t channel_count;
    };
    struct Config {
        std::string path = {};
        FileFormat format = FileFormat::wav;
        std::uint32_t sample_rate_hz = 48'000;
        std::uint32_t channels = 2;  ///< 1 or more
        RenderExtent extent = {};
        std::vector<Group> groups = {};  ///< within the channels
    };

    /// Creates the file. Errors as of WavWriter and FlacWriter.
    [[nodiscard]] static Expected<OfflineOutput> create(const Config& config);

    /// Adds the next frames of the engine. Those outside of the extent are dropped.
    [[nodiscard]] Expected<void> add(const AudioReadView& frames);
    /// The input ended before this frame of the engine. Must be called before the frames from there on are added.
    void end_input(std::uint64_t frame);
    /// Completes the file. Only its result shows whether the file is complete.
    [[nodiscard]] Expected<void> finish();

    /// Returns the frame of the engine at which the rendering ends at the latest; the largest number while unknown.
    [[nodiscard]] std::uint64_t end() const noexcept { return end_; }
    /// Returns the frame of the engine from which on a quiet end is dropped; the largest number while unknown, or if
    /// the length is given.
    [[nodiscard]] std::uint64_t open_tail() const noexcept { return keep_; }
    /// Returns the frame of the engine after the last one that is certain to be in the file.
    [[nodiscard]] std::uint64_t kept_until() const noexcept { return kept_until_; }
    /// Returns the number of frames in the file, valid after finish().
    [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
    /// Returns whether the tail was cut off at its maximum length, less than 100 ms after the output was louder than
    /// kSilence.
    [[nodiscard]] bool tail_was_cut() const noexcept { return tail_was_cut_; }
    /// Returns the levels of the groups, valid after finish().
    [[nodiscard]] std::vector<ProgrammeLevels> levels() const;
    /// Returns the number of samples that the format could not hold.
    [[nodiscard]] std::uint64_t clipped_samples() const noexcept;

 private:
    using Writer = std::variant<WavWriter, FlacWriter>;
    OfflineOutput(const Config& config, Writer writer);
    [[nodiscard]] Expected<void> add_tail(const AudioReadView& frames, std::uint32_t begin, std::uint32_t end);
    [[nodiscard]] Expected<void> stage(const AudioReadView& frames, std::uint32_t begin, std::uint32_t end);
    [[nodiscard]] Expected<void> write_staged();

    RenderExtent extent_;
    Writer writer_;
    std::vector<ProgrammeMeter> meters_;
    std::uint64_t frames_that_tell_silence_;  ///< 100 ms: an output that was silent for less may have gone on
    std::uint64_t frame_ = 0;                 ///< of the engine: the next one
    std::uint64_t keep_ = std::numeric_limits<std::uint64_t>::max();  ///< from here on, a quiet end is dropped
    std::uint64_t kept_until_ = 0;
    std::uint64_t end_;
    std::uint64_t frames_ = 0;
    bool tail_was_cut_ = false;

    AudioBuffer staged_;  ///< frames to write
    std::uint32_t staged_frames_ = 0;
    std::vector<float> interleaved_;
    std::vector<std::vector<float>> quiet_;  ///< per channel: the end of the tail, written if something louder follows
};

}  // namespace rta::io
