// SPDX-License-Identifier: MIT
#include "frame/frame_codec.h"

#include <cassert>
#include <utility>

namespace rta {
namespace {

constexpr std::size_t kMaximumVarintBytes = 10;
/// A buffer larger than this is freed once it is empty, so that idle clients use little memory.
constexpr std::size_t kKeptBytes = std::size_t{64} << 10U;

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

/// Returns nothing if the varint is incomplete.
FrameDecoder::ReadLength FrameDecoder::read_length(std::string_view bytes, std::size_t maximum_bytes) {
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
        if (last) return Length{static_cast<std::size_t>(value), i + 1};
    }
    return std::nullopt;
}

void FrameDecoder::feed(std::span<const char> bytes) {
    if (error_) return;
    make_room();
    buffer_.append(bytes.data(), bytes.size());
}

void FrameDecoder::make_room() {
    free_taken();
    last_ = 0;
    // A session that has this much reads on only with a place for a large message, so few can make the daemon reserve.
    const bool large = length_ && length_->payload > kKeptBytes && pending().size() >= kKeptBytes;
    // Moves fewer bytes than were taken since the previous move, so the total cost is linear; for a large frame once.
    if (large || taken_ >= buffer_.size() / 2) {
        buffer_.erase(0, taken_);
        taken_ = 0;
    }
    // With room for what follows it in the same read: a large frame is never copied.
    if (large && buffer_.capacity() < length_->payload) buffer_.reserve(length_->payload + kKeptBytes);
}

void FrameDecoder::free_taken() {
    if (taken_ != buffer_.size() || buffer_.capacity() <= kKeptBytes) return;
    std::string{}.swap(buffer_);
    taken_ = 0;
    last_ = 0;
}

FrameDecoder::ReadLength FrameDecoder::length(std::size_t maximum_bytes) const {
    if (error_) return std::unexpected(*error_);
    return length_ ? length_ : read_length(pending(), maximum_bytes);
}

std::expected<std::optional<std::string_view>, FrameError> FrameDecoder::next(std::size_t maximum_bytes) {
    last_ = 0;
    const auto found = length(maximum_bytes);
    if (!found) {
        error_ = found.error();
        return std::unexpected(*error_);
    }
    if (!*found) return std::nullopt;
    if (!length_) taken_ += (*found)->prefix;
    length_ = *found;
    if (pending().size() < length_->payload) return std::nullopt;
    const std::string_view payload = pending().substr(0, length_->payload);
    last_ = payload.size();
    taken_ += last_;
    length_.reset();
    return payload;
}

std::string FrameDecoder::claim() {
    const std::size_t bytes = std::exchange(last_, 0);
    if (taken_ != bytes || bytes <= kKeptBytes) return buffer_.substr(taken_ - bytes, bytes);
    std::string rest = buffer_.substr(taken_);
    buffer_.resize(bytes);
    taken_ = 0;
    return std::exchange(buffer_, std::move(rest));
}

bool FrameDecoder::ready() const {
    const auto found = length(kMaximumFrameBytes);
    const std::size_t prefix = length_ || !found || !*found ? 0 : (*found)->prefix;
    return !found || (*found && pending().size() - prefix >= (*found)->payload);
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
