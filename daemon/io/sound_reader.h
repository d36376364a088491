// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "os/unique_fd.h"
#include "text/error.h"

// libsndfile's type, kept out of this header.
struct sf_private_tag;

namespace rta::io {

/// Reads any sound file that libsndfile supports, as float32, in large pieces.
class SoundReader {
 public:
    /// NOT_FOUND or UNAVAILABLE if the file cannot be read, INVALID_ARGUMENT if it is not a sound file; all name the
    /// file.
    [[nodiscard]] static Expected<SoundReader> open(const std::string& path);
    /// Reads an open file, which errors call `name`.
    [[nodiscard]] static Expected<SoundReader> open(os::UniqueFd file, std::string name);
    SoundReader(SoundReader&& other) noexcept;
    SoundReader& operator=(SoundReader&& other) noexcept;
    SoundReader(const SoundReader&) = delete;
    SoundReader& operator=(const SoundReader&) = delete;
    ~SoundReader();

    [[nodiscard]] std::uint32_t sample_rate_hz() const noexcept { return sample_rate_hz_; }
    [[nodiscard]] std::uint32_t channels() const noexcept { return channels_; }
    /// Returns the number of frames of the file; the largest number if it is unknown, as in a pipe.
    [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
    /// Returns what the user should know about the file; empty if it is in order.
    [[nodiscard]] const std::string& warning() const noexcept { return warning_; }

    /// Reads as many whole interleaved frames as fit. Returns the number of frames, 0 at the end of the file.
    /// UNAVAILABLE if the file cannot be read or decoded.
    [[nodiscard]] Expected<std::size_t> read(std::span<float> interleaved);
    /// Continues at a frame, or at the end of the file if that is earlier. UNAVAILABLE if the file cannot be read there, or
    /// is not a regular file.
    [[nodiscard]] Expected<void> seek(std::uint64_t frame);

    /// Returns the frame that is read next.
    [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
    /// Returns the name of the file in errors.
    [[nodiscard]] const std::string& name() const noexcept { return path_; }

 private:
    class Bytes;
    struct Close {
        void operator()(sf_private_tag* file) const noexcept;
    };
    SoundReader(std::string path, std::unique_ptr<Bytes> bytes);
    [[nodiscard]] Expected<void> open_sound();

    std::string path_;
    std::unique_ptr<Bytes> bytes_;  ///< what libsndfile reads from; outlives file_
    std::unique_ptr<sf_private_tag, Close> file_;
    std::string warning_;
    std::uint32_t sample_rate_hz_ = 0;
    std::uint32_t channels_ = 0;
    std::uint64_t frames_ = 0;
    std::uint64_t position_ = 0;
};

}  // namespace rta::io
