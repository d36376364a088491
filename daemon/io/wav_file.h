// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "text/error.h"

// libsndfile's type, kept out of this header.
struct sf_private_tag;

namespace rta::io {

struct CloseSoundFile {
    void operator()(sf_private_tag* file) const noexcept;
};
using SoundFile = std::unique_ptr<sf_private_tag, CloseSoundFile>;

/// Whether a float32 WAV file of `frames` frames can take `more`: its size fields end at 4 GiB.
[[nodiscard]] constexpr bool wav_has_room(std::uint64_t frames, std::uint64_t more, std::uint32_t channels) {
    constexpr std::uint64_t kHeader = 4096;  // more than it is
    constexpr std::uint64_t kLargest = 0xFFFF'FFFF - kHeader;
    return (frames + more) * channels * sizeof(float) <= kLargest;
}

/// What becomes of a recording that is there already.
enum class OlderRecording : std::uint8_t {
    overwritten,
    kept_aside,  ///< as FILE.kept-1, -2, ...: the first name that is free
};

/// Writes float32 WAV, whose size fields end at 4 GiB. May block: never from the audio thread.
class WavWriter {
 public:
    /// Creates or empties `path` and writes a header. UNAVAILABLE, naming the file, if it cannot be.
    [[nodiscard]] static Expected<WavWriter> create(const std::string& path, std::uint32_t sample_rate_hz,
                                                    std::uint32_t channels,
                                                    OlderRecording older = OlderRecording::overwritten);
    /// Where create() kept an older recording; empty: there was none.
    [[nodiscard]] const std::string& kept() const noexcept { return kept_; }

    /// Appends whole frames, interleaved. RESOURCE_EXHAUSTED, and nothing written, where the file would pass 4 GiB;
    /// UNAVAILABLE where the disk refuses.
    [[nodiscard]] Expected<void> write(std::span<const float> interleaved);
    /// Makes the header tell of all that was written: the file is whole even if the process is killed.
    void update_header() noexcept;
    /// The same, and closes it. UNAVAILABLE if the system reports what it could not write before.
    [[nodiscard]] Expected<void> close();

    [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }

 private:
    WavWriter(SoundFile file, std::string path, std::uint32_t channels);

    SoundFile file_;
    std::string path_;
    std::string kept_;
    std::uint32_t channels_;
    std::uint64_t frames_ = 0;
};

/// Reads any sound file that libsndfile knows, as float32.
class SoundReader {
 public:
    /// NOT_FOUND or UNAVAILABLE if it cannot be read, INVALID_ARGUMENT if it is no sound; all name the file.
    [[nodiscard]] static Expected<SoundReader> open(const std::string& path);

    [[nodiscard]] std::uint32_t sample_rate_hz() const noexcept { return sample_rate_hz_; }
    [[nodiscard]] std::uint32_t channels() const noexcept { return channels_; }
    [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }

    /// Reads up to as many whole frames as fit, interleaved; returns how many, 0 at the end.
    [[nodiscard]] std::size_t read(std::span<float> interleaved);

 private:
    SoundReader(SoundFile file, std::uint32_t sample_rate_hz, std::uint32_t channels, std::uint64_t frames);

    SoundFile file_;
    std::uint32_t sample_rate_hz_;
    std::uint32_t channels_;
    std::uint64_t frames_;
};

}  // namespace rta::io
