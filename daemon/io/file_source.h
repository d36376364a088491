// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/sound_reader.h"
#include "text/error.h"

namespace rta::io {

/// An audio file at the sample rate of the engine. A file of another rate is converted while it is read, with the best converter of libsamplerate: within 0.05 dB up to 0.94 of half the lower rate, with
/// 144 dB between signal and errors.
class FileSource {
 public:
    /// INVALID_ARGUMENT if the file is not a sound file, has no frames, or has a sample rate that cannot be converted;
    /// NOT_FOUND or UNAVAILABLE if it cannot be read. All name the file.
    [[nodiscard]] static Expected<FileSource> open(const std::string& path, std::uint32_t sample_rate_hz);
    /// What follows the last frame.
    enum class AtEnd : std::uint8_t {
        stop,
        repeat,  ///< the first frame, without a gap: a conversion of the sample rate runs across the seam
    };
    /// Reads an open file. Errors as those of open() with a path.
    [[nodiscard]] static Expected<FileSource> open(SoundReader reader, std::uint32_t sample_rate_hz, AtEnd at_end);
    FileSource(FileSource&& other) noexcept;
    FileSource& operator=(FileSource&& other) noexcept;
    FileSource(const FileSource&) = delete;
    FileSource& operator=(const FileSource&) = delete;
    ~FileSource();

    [[nodiscard]] std::uint32_t channels() const noexcept;
    /// Returns the number of frames at the rate of the engine, which may be off by one after a conversion;
    /// std::nullopt if it is unknown, as in a pipe.
    [[nodiscard]] std::optional<std::uint64_t> frames() const noexcept;
    /// Returns what the user should know about the file and its conversion, as sentences. Warnings begin with
    /// "warning: ".
    [[nodiscard]] std::vector<std::string> notices() const;

    /// Reads whole interleaved frames until `interleaved` is full or the file ends. Returns the number of frames.
    /// UNAVAILABLE if the file cannot be read or decoded.
    [[nodiscard]] Expected<std::size_t> read(std::span<float> interleaved);
    /// Continues at a frame, counted at the rate of the engine: at the last frame of the file that is not later. A file
    /// that repeats continues at the place that a player reaches after so many frames. UNAVAILABLE if the file cannot be
    /// read there.
    [[nodiscard]] Expected<void> seek(std::uint64_t frame);
    /// Returns whether the latest read() ended before the frames that the file declares: it is cut off, or has become
    /// shorter.
    [[nodiscard]] bool ended_early() const noexcept;

 private:
    class Impl;
    explicit FileSource(std::unique_ptr<Impl> impl);

    std::unique_ptr<Impl> impl_;
};

}  // namespace rta::io
