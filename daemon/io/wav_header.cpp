// SPDX-License-Identifier: MIT
#include "io/wav_header.h"

#include <concepts>
#include <cstddef>
#include <limits>

namespace rta::io {
namespace {

constexpr std::uint32_t kLargest32 = std::numeric_limits<std::uint32_t>::max();

/// Appends a number, least significant byte first.
void put(std::string& header, std::unsigned_integral auto number) {
    for (std::size_t byte = 0; byte < sizeof(number); ++byte) {
        header.push_back(static_cast<char>(static_cast<unsigned char>(std::uint64_t{number} >> (8 * byte))));
    }
}

void put_format(std::string& header, std::uint32_t sample_rate_hz, std::uint32_t channels) {
    constexpr std::uint16_t kFloat = 3;
    constexpr std::uint16_t kBytes = sizeof(float);
    header += "fmt ";
    put(header, std::uint32_t{16});  // bytes that follow
    put(header, kFloat);
    put(header, static_cast<std::uint16_t>(channels));
    put(header, sample_rate_hz);
    put(header, sample_rate_hz * channels * kBytes);
    put(header, static_cast<std::uint16_t>(channels * kBytes));
    put(header, static_cast<std::uint16_t>(8 * kBytes));
}

}  // namespace

std::string wav_header(std::uint32_t sample_rate_hz, std::uint32_t channels, std::uint64_t frames) {
    // The chunk `PAD ` of a small file and its chunk `fact` have room for the chunk `ds64`. Its size is that of the
    // chunk PEAK of libsndfile, which wrote these files before, so that they stay the same byte for byte.
    const std::size_t padding = 8 + 8 * std::size_t{channels};
    const std::size_t header_bytes =
        12 + (kWavChunkHead + 16) + (kWavChunkHead + 4) + (kWavChunkHead + padding) + kWavChunkHead;
    const std::uint64_t data_bytes = frames * channels * sizeof(float);
    const std::uint64_t file_bytes = header_bytes + data_bytes;
    const bool large = file_bytes > kLargest32;

    std::string header;
    header.reserve(header_bytes);
    header += large ? "RF64" : "RIFF";
    put(header, large ? kWavSizeElsewhere : static_cast<std::uint32_t>(file_bytes - kWavChunkHead));
    header += "WAVE";
    if (large) {
        header += "ds64";
        put(header, std::uint32_t{28});  // bytes that follow
        put(header, file_bytes - kWavChunkHead);
        put(header, data_bytes);
        put(header, frames);
        put(header, std::uint32_t{0});  // sizes of other chunks
    }
    put_format(header, sample_rate_hz, channels);
    if (!large) {
        header += "fact";
        put(header, std::uint32_t{4});  // bytes that follow
        put(header, static_cast<std::uint32_t>(frames));
    }
    if (const std::size_t room = header_bytes - kWavChunkHead - header.size(); room != 0) {
        header += "PAD ";
        put(header, static_cast<std::uint32_t>(room - kWavChunkHead));
        header.append(room - kWavChunkHead, '\0');
    }
    header += "data";
    put(header, large ? kWavSizeElsewhere : static_cast<std::uint32_t>(data_bytes));
    return header;
}

}  // namespace rta::io
