// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "os/unique_fd.h"
#include "text/error.h"

namespace rta::io {

/// Handling of an existing recording of the same name by WavWriter.
enum class ExistingFile : std::uint8_t {
    overwrite,
    rename,  ///< to the first free name of FILE.kept-1, FILE.kept-2, ...
};

/// Writes float32 WAV files. A file that grows beyond 4 GiB becomes an RF64 file. May block; must not be called on the
/// audio thread.
class WavWriter {
 public:
    /// Creates or truncates `path` and writes a header. UNAVAILABLE, naming the file, if that fails.
    [[nodiscard]] static Expected<WavWriter> create(const std::string& path, std::uint32_t sample_rate_hz,
                                                    std::uint32_t channels,
                                                    ExistingFile existing_file = ExistingFile::overwrite);
    /// Returns the name to which create() renamed an existing recording; empty if none existed.
    [[nodiscard]] const std::string& renamed_to() const noexcept { return renamed_to_; }

    /// Appends whole interleaved frames. UNAVAILABLE if the write fails.
    [[nodiscard]] Expected<void> write(std::span<const float> interleaved);
    /// Appends frames of silence, as a hole: it needs no time and no space on a file system with sparse files.
    /// UNAVAILABLE if the write fails.
    [[nodiscard]] Expected<void> write_silence(std::uint64_t frames);
    /// Updates the header to cover everything written so far, so that the file is valid even if the process is killed.
    void update_header();
    /// Updates the header and closes the file. UNAVAILABLE if that fails or the system reports a delayed write error.
    [[nodiscard]] Expected<void> close();

 private:
    WavWriter(os::UniqueFd file, std::string path, std::uint32_t sample_rate_hz, std::uint32_t channels);
    [[nodiscard]] Expected<void> append(std::string_view samples);
    [[nodiscard]] std::string header() const;

    os::UniqueFd file_;
    std::string path_;
    std::string renamed_to_;
    std::uint32_t sample_rate_hz_;
    std::uint32_t channels_;
    std::uint64_t frames_ = 0;
};

}  // namespace rta::io
