// SPDX-License-Identifier: MIT
#include "frame/frame_codec.h"

#include <cassert>

namespace rta {
namespace {

constexpr std::size_t kMaximumVarintBytes = 10;
/// A buffer larger than this is freed once it is empty, so that idle clients use little memory.
constexpr std::size_t kKeptBytes = std::size_t{64} << 10U;

struct FrameLength {
    std::uint64_t payload;
    std::size_t prefix;  ///< bytes of the varint itself
};

/// Returns nothing if the varint is incomplete.
std::expected<std::optional<FrameLength>, FrameError> read_length(std::string_view bytes, std::size_t maximum_bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == kMaximumVarintBytes) return std::unexpected(FrameError::bad_length);
        const auto byte = static_cast<unsigned char>(bytes[i]);
        const std::uint64_t digit = byte & 0x7FU;
        // The tenth byte holds bit 63 and nothing else.
        if (i == kMaximumVarintBytes - 1 && digit > 1) return std::unexpected(FrameError::bad_length);
        value |= digit << (7U * i);
        const bool last = (byte & 0x80U) == 0;
        if (!last && i == kMaximumVarintBytes - 1) return std::unexpected(FrameError::bad_length);
        // Further bytes can only increase the value, so the error can be reported now.
        if (value > maximum_bytes) return std::unexpected(FrameError::too_long);
        if (last) return FrameLength{value, i + 1};
    }
    return std::nullopt;
}

}  // namespace

std::string frame_error_sentence(FrameError error, std::size_t maximum_bytes) {
    switch (error) {
        case FrameError::too_long:
            return "message too long: more than " + std::to_string(maximum_bytes) + " bytes" +
                   (maximum_bytes % (1U << 20U) == 0 ? " (" + std::to_string(maximum_bytes >> 20U) + " MiB)" : "") +
                   "; or the stream does not consist of varint length-delimited messages of rta.v1";
        case FrameError::bad_length:
            return "invalid message length: expected a varint of at most 10 bytes and 64 bits; or the stream does not "
                   "consist of varint length-delimited messages of rta.v1";
    }
    return "";
}

void FrameDecoder::feed(std::span<const char> bytes) {
    if (error_) return;
    free_taken();
    if (taken_ == buffer_.size()) {
        buffer_.clear();
        taken_ = 0;
    } else if (taken_ >= buffer_.size() / 2) {
        // Moves fewer bytes than were taken since the previous move, so the total cost is linear.
        buffer_.erase(0, taken_);
        taken_ = 0;
    }
    buffer_.append(bytes.data(), bytes.size());
}

void FrameDecoder::free_taken() {
    if (taken_ != buffer_.size() || buffer_.capacity() <= kKeptBytes) return;
    std::string{}.swap(buffer_);
    taken_ = 0;
}

std::expected<std::optional<std::string_view>, FrameError> FrameDecoder::next(std::size_t maximum_bytes) {
    if (error_) return std::unexpected(*error_);
    const std::string_view pending = std::string_view{buffer_}.substr(taken_);
    const auto length = read_length(pending, maximum_bytes);
    if (!length) {
        error_ = length.error();
        return std::unexpected(*error_);
    }
    if (!*length || pending.size() - (*length)->prefix < (*length)->payload) return std::nullopt;
    taken_ += (*length)->prefix + static_cast<std::size_t>((*length)->payload);
    return pending.substr((*length)->prefix, static_cast<std::size_t>((*length)->payload));
}

bool FrameDecoder::ready() const {
    if (error_) return true;
    const std::string_view pending = std::string_view{buffer_}.substr(taken_);
    const auto length = read_length(pending, kMaximumFrameBytes);
    return !length || (*length && pending.size() - (*length)->prefix >= (*length)->payload);
}

void append_frame_length(std::string& out, std::size_t payload_bytes) {
    assert(payload_bytes <= kMaximumFrameBytes);
    std::uint64_t rest = payload_bytes;
    while (rest >= 0x80U) {
        out.push_back(static_cast<char>((rest & 0x7FU) | 0x80U));
        rest >>= 7U;
    }
    out.push_back(static_cast<char>(rest));
}

void append_frame(std::string& out, std::string_view payload) {
    append_frame_length(out, payload.size());
    out.append(payload);
}

}  // namespace rta
