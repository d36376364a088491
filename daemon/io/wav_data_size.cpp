// SPDX-License-Identifier: MIT
#include "io/wav_data_size.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "io/wav_header.h"

namespace rta::io {
namespace {

/// Chunks that are read in search of the samples. Programs write a few; a damaged file may consist of empty ones.
constexpr int kMaximumChunks = 10'000;

using Head = std::array<unsigned char, 12>;

/// Reads up to 12 bytes; the rest of the array is 0.
[[nodiscard]] Head head_at(int descriptor, std::uint64_t position) {
    Head head{};
    static_cast<void>(::pread(descriptor, head.data(), head.size(), static_cast<off_t>(position)) >= 0);
    return head;
}

[[nodiscard]] std::uint64_t number_at(int descriptor, std::uint64_t position, std::size_t width) {
    const Head bytes = head_at(descriptor, position);
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < width; ++i) number |= std::uint64_t{bytes[i]} << (8 * i);
    return number;
}

[[nodiscard]] bool has_name(const Head& head, std::string_view name, std::size_t place = 0) {
    return std::equal(name.begin(), name.end(), head.begin() + static_cast<std::ptrdiff_t>(place));
}

/// Returns whether a chunk starts at the position: a name in printable letters, and a size that the file contains.
[[nodiscard]] bool is_chunk(int descriptor, std::uint64_t position, std::uint64_t file_bytes) {
    const Head head = head_at(descriptor, position);
    const bool printable =
        std::all_of(head.begin(), head.begin() + 4, [](unsigned char c) { return c >= 32 && c < 127; });
    return printable && number_at(descriptor, position + 4, 4) <= file_bytes - position - kWavChunkHead;
}

}  // namespace

std::optional<WrongDataSize> find_wrong_data_size(int descriptor, std::uint64_t file_bytes) {
    const Head riff = head_at(descriptor, 0);
    const bool large = has_name(riff, "RF64");
    if (!(large || has_name(riff, "RIFF")) || !has_name(riff, "WAVE", 8)) return std::nullopt;
    std::uint64_t size_elsewhere = 0;  // position of the size of the samples in the chunk ds64
    std::uint64_t chunk = 12;
    for (int count = 0; count < kMaximumChunks && chunk + kWavChunkHead <= file_bytes; ++count) {
        const Head head = head_at(descriptor, chunk);
        const std::uint64_t size = number_at(descriptor, chunk + 4, 4);
        const std::uint64_t content = chunk + kWavChunkHead;
        if (has_name(head, "ds64")) size_elsewhere = content + 8;
        if (!has_name(head, "data")) {
            chunk = content + size + size % 2;
            continue;
        }
        WrongDataSize found{.position = chunk + 4, .width = 4, .declared = size, .actual = file_bytes - content};
        if (large && size == kWavSizeElsewhere && size_elsewhere != 0) {
            found.position = size_elsewhere;
            found.width = 8;
            found.declared = number_at(descriptor, size_elsewhere, 8);
        }
        const bool empty = found.actual == 0 || (found.declared == 0 && found.actual >= kWavChunkHead &&
                                                 is_chunk(descriptor, content, file_bytes));
        if (empty || (found.declared != 0 && found.declared <= found.actual)) return std::nullopt;
        return found;
    }
    return std::nullopt;
}

}  // namespace rta::io
