// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rta {

/// The largest payload of a frame, each way.
inline constexpr std::size_t kMaximumFrameBytes = std::size_t{4} << 20U;

/// What is wrong with a stream of frames; there is no way to go on after it.
enum class FrameError : std::uint8_t {
    too_long,    ///< a length beyond the limit
    bad_length,  ///< a length that is no varint: more than ten bytes, or more than 64 bits
};

/// One sentence for people, saying what would be right.
[[nodiscard]] std::string_view frame_error_sentence(FrameError error) noexcept;

/// Cuts a stream of bytes into the payloads of varint length-delimited frames (what every protobuf runtime calls
/// "delimited"), however the stream was cut on its way. A length is checked before anything is done about it, so the
/// memory held is at most twice what was really received and not yet taken. Not for several threads at once.
class FrameDecoder {
 public:
    /// Takes in bytes as they came. Views that next() gave are no longer valid.
    void feed(std::span<const char> bytes);

    /// The payload of the next frame, valid until the next call of feed() or next(); nothing if it has not come
    /// whole. A length that is wrong is told as soon as the bytes that make it so have come; the decoder stays in
    /// error.
    [[nodiscard]] std::expected<std::optional<std::string_view>, FrameError> next();

    /// Bytes that came and belong to no frame that next() gave: if the stream ends while this is not 0, it was cut off.
    [[nodiscard]] std::size_t buffered() const noexcept { return buffer_.size() - taken_; }

 private:
    std::string buffer_;
    std::size_t taken_ = 0;  ///< bytes at the front of buffer_ that are done with
    std::optional<FrameError> error_;
};

/// Appends `payload` to `out` as one frame. Precondition: at most kMaximumFrameBytes.
void append_frame(std::string& out, std::string_view payload);

/// Appends only the length that goes before a payload of so many bytes.
void append_frame_length(std::string& out, std::size_t payload_bytes);

}  // namespace rta
