// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace rta::test {

/// An audio file in memory, planar.
struct Wav {
    std::uint32_t sample_rate_hz = 48'000;
    std::vector<std::vector<float>>
        channels;         ///< full scale is 1; 16 bit samples are n / 32768, which float32 holds exactly
    bool float32 = true;  ///< the file has 32-bit float samples

    [[nodiscard]] std::size_t frames() const { return channels.empty() ? 0 : channels.front().size(); }
};

/// Both throw std::runtime_error with the name of the file.
[[nodiscard]] Wav read_wav(const std::filesystem::path& file);
/// Writes 32-bit floats, or 16-bit integers if `wav.float32` is false.
void write_wav(const std::filesystem::path& file, const Wav& wav);

/// Returns recorded speech, 48 kHz mono, from Debian's alsa-utils. Throws if the package is missing.
[[nodiscard]] std::vector<float> speech();

}  // namespace rta::test
