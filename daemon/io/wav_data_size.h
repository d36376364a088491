// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

namespace rta::io {

/// A WAV file whose header declares a wrong size of its samples: 0, as programs leave it that were killed or wrote to a
/// pipe, or more than the file contains, as in a file that was cut off.
struct WrongDataSize {
    std::uint64_t position;  ///< of the field in the file
    std::uint32_t width;     ///< of the field in bytes: 4, or 8 in an RF64 file
    std::uint64_t declared;  ///< in bytes
    std::uint64_t actual;    ///< in bytes: up to the end of the file
};

/// Checks the header of a file of `file_bytes` bytes. Returns std::nullopt if the size is right, or if the file is not
/// a WAV file, contains no samples, or has more than 10,000 chunks before them.
[[nodiscard]] std::optional<WrongDataSize> find_wrong_data_size(int descriptor, std::uint64_t file_bytes);

}  // namespace rta::io
