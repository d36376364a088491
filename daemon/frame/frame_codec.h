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

/// Maximum size of the payload of a frame, in both directions.
inline constexpr std::size_t kMaximumFrameBytes = std::size_t{4} << 20U;

/// Error in a stream of frames. The stream cannot be used further.
enum class FrameError : std::uint8_t {
    too_long,    ///< a length over the maximum
    bad_length,  ///< not a valid varint: over 10 bytes or over 64 bits
};

/// Returns a sentence that says what is wrong and what is expected. `maximum_bytes` is that of FrameDecoder::next().
[[nodiscard]] std::string frame_error_sentence(FrameError error, std::size_t maximum_bytes = kMaximumFrameBytes);

/// Splits a stream of bytes into the payloads of varint length-delimited frames; protobuf runtimes call this format
/// "delimited". Checks each length before using it. The memory in use is at most twice the bytes received and not yet
/// taken: more is reserved for a large frame, once 64 KiB of it have come, but not touched. Not thread-safe.
class FrameDecoder {
 public:
    /// Appends received bytes, of any number of frames. Invalidates views returned by next().
    void feed(std::span<const char> bytes);

    /// Returns the payload of the next frame, valid until the next call of feed() or next(), or nothing if the frame is
    /// incomplete. Reports a length that is invalid, or above `maximum_bytes`, as soon as it can be recognised; all later
    /// calls return the same error. Precondition: `maximum_bytes` is at most kMaximumFrameBytes.
    [[nodiscard]] std::expected<std::optional<std::string_view>, FrameError> next(
        std::size_t maximum_bytes = kMaximumFrameBytes);

    /// Returns the payload that next() has just returned as a string: a large one without copying it. Invalidates the view.
    /// Precondition: next() has returned a payload, and was followed by nothing but calls of const functions.
    [[nodiscard]] std::string claim();

    /// Returns whether next() would return a frame or an error.
    [[nodiscard]] bool ready() const;

    /// Frees the memory of a large frame if next() has returned everything. Invalidates views returned by next().
    void free_taken();

    /// Returns the number of bytes that next() has not returned. If the stream ends while this is not 0, its last frame
    /// is truncated.
    [[nodiscard]] std::size_t buffered() const noexcept { return pending().size() + (length_ ? length_->prefix : 0); }

 private:
    struct Length {
        std::size_t payload;
        std::size_t prefix;  ///< bytes of the varint itself
    };
    using ReadLength = std::expected<std::optional<Length>, FrameError>;

    [[nodiscard]] static ReadLength read_length(std::string_view bytes, std::size_t maximum_bytes);
    [[nodiscard]] ReadLength length(std::size_t maximum_bytes) const;
    [[nodiscard]] std::string_view pending() const { return std::string_view{buffer_}.substr(taken_); }
    void make_room();

    std::string buffer_;
    std::size_t taken_ = 0;         ///< bytes at the front of buffer_ that have been returned, or are a known length
    std::optional<Length> length_;  ///< of the next frame, if it is known
    std::size_t last_ = 0;          ///< bytes of the last payload, which ends at taken_
    std::optional<FrameError> error_;
};

/// Appends `payload` to `out` as one frame. Precondition: at most kMaximumFrameBytes.
void append_frame(std::string& out, std::string_view payload);

/// Appends only the length prefix of a payload of `payload_bytes` bytes. Precondition: at most kMaximumFrameBytes.
void append_frame_length(std::string& out, std::size_t payload_bytes);

}  // namespace rta
