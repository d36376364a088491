// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace rta::io {

/// Maximum number of channels of a WAV file that libsndfile can read.
inline constexpr std::uint32_t kMaximumWavChannels = 1024;

/// Bytes of the name and the size of a chunk.
inline constexpr std::uint32_t kWavChunkHead = 8;
/// In RF64, marks a size that is in the chunk `ds64`.
inline constexpr std::uint32_t kWavSizeElsewhere = 0xFFFF'FFFF;

/// Returns the header of a float32 WAV file with this number of frames; the samples follow it. A file of more than
/// 4 GiB is an RF64 file (EBU Tech 3306), whose header has the same length, so that a file can become one while it
/// grows.
[[nodiscard]] std::string wav_header(std::uint32_t sample_rate_hz, std::uint32_t channels, std::uint64_t frames);

}  // namespace rta::io
