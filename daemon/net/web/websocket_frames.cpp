// SPDX-License-Identifier: MIT
#include "net/web/websocket_frames.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "frame/frame_codec.h"
#include "text/utf8.h"

namespace rta::net {
namespace {

constexpr unsigned kFinal = 0x80;
constexpr unsigned kReserved = 0x70;
constexpr unsigned kMasked = 0x80;
constexpr std::size_t kShortHeader = 2;
constexpr std::size_t kMaskBytes = 4;
/// Lengths up to here are in the second byte; 126 and 127 stand for a length in 2 and in 8 bytes.
constexpr unsigned kLongestShort = 125;
constexpr unsigned kTwoBytes = 126;
constexpr unsigned kEightBytes = 127;
/// Status of a close frame without one, which must not be sent.
constexpr std::uint16_t kNoStatus = 1005;

constexpr bool is_control(unsigned opcode) { return (opcode & 0x8U) != 0; }

/// Returns the length of a header whose second byte is this.
constexpr std::size_t header_size(unsigned second) {
    const unsigned length = second & ~kMasked;
    return kShortHeader + kMaskBytes + (length == kTwoBytes ? 2 : length == kEightBytes ? 8 : 0);
}

template <std::size_t N>
std::uint64_t big_endian(const std::array<unsigned char, N>& bytes, std::size_t first, std::size_t count) {
    std::uint64_t value = 0;
    for (std::size_t i = first; i < first + count; ++i) value = value << 8U | bytes[i];
    return value;
}

/// `at`: the place in the mask of the first byte.
void unmask(std::span<char> bytes, const std::array<unsigned char, kMaskBytes>& mask, std::size_t at) {
    std::array<unsigned char, kMaskBytes> turned{};
    for (std::size_t i = 0; i < kMaskBytes; ++i) turned[i] = mask[(at + i) % kMaskBytes];
    std::uint32_t key = 0;
    std::memcpy(&key, turned.data(), sizeof key);
    std::size_t i = 0;
    for (; i + sizeof key <= bytes.size(); i += sizeof key) {
        std::uint32_t word = 0;
        std::memcpy(&word, &bytes[i], sizeof word);
        word ^= key;
        std::memcpy(&bytes[i], &word, sizeof word);
    }
    for (; i < bytes.size(); ++i)
        bytes[i] = static_cast<char>(static_cast<unsigned char>(bytes[i]) ^ turned[i % kMaskBytes]);
}

/// Whether a client may send the code: those of the RFC and its registry, without those that are never sent.
constexpr bool may_close_with(std::uint64_t code) {
    return (code >= 1000 && code <= 1014 && code != 1004 && code != kNoStatus && code != 1006) ||
           (code >= 3000 && code <= 4999);
}

/// Appends a length as frames have it, also one that no frame may have: the reader says what is wrong with it.
void append_length(std::string& out, std::uint64_t length) {
    for (; length >= 0x80U; length >>= 7U) out += static_cast<char>((length & 0x7FU) | 0x80U);
    out += static_cast<char>(length);
}

}  // namespace

void WebSocketDecoder::feed(std::span<const char> bytes) {
    while (!bytes.empty() && !failure_ && !closed_) {
        bytes = bytes.subspan(in_payload_ ? read_payload(bytes) : read_header(bytes));
        // A frame may be empty.
        if (in_payload_ && left_ == 0 && !failure_) end_frame();
    }
}

std::size_t WebSocketDecoder::read_header(std::span<const char> bytes) {
    std::size_t taken = 0;
    const auto wanted = [this] { return header_bytes_ < kShortHeader ? kShortHeader : header_size(header_[1]); };
    for (; taken < bytes.size() && header_bytes_ < wanted(); ++taken)
        header_[header_bytes_++] = static_cast<unsigned char>(bytes[taken]);
    if (header_bytes_ < wanted()) {
        // Most violations are in the first two bytes, and the rest may not come.
        if (header_bytes_ >= kShortHeader && (header_[1] & kMasked) == 0) fail(WebSocketClose::protocol_error);
        return taken;
    }
    if (!start_frame()) return taken;
    in_payload_ = true;
    header_bytes_ = 0;
    return taken;
}

/// Checks a complete header. Returns false if it violates the protocol.
bool WebSocketDecoder::start_frame() {
    const unsigned opcode = header_[0] & 0xFU;
    const unsigned short_length = header_[1] & ~kMasked;
    final_ = (header_[0] & kFinal) != 0;
    const std::size_t more = header_size(header_[1]) - kShortHeader - kMaskBytes;
    const std::uint64_t length = more == 0 ? short_length : big_endian(header_, kShortHeader, more);
    // A length must not be longer than necessary, and has 63 bits.
    const bool shortest = more == 0 || length > (more == 2 ? kLongestShort : 0xFFFFU);
    const bool known = opcode <= 2 || (opcode >= 8 && opcode <= 10);
    if ((header_[0] & kReserved) != 0 || (header_[1] & kMasked) == 0 || !known || !shortest || (length >> 63U) != 0 ||
        (is_control(opcode) && (!final_ || length > kLongestShort))) {
        fail(WebSocketClose::protocol_error);
        return false;
    }
    const bool is_idle = is_control(opcode) || (!final_ && length < kSmallFragment);
    if (is_idle && ++idle_frames_ > most_idle_frames_) {
        fail(WebSocketClose::policy_violation);
        return false;
    }
    opcode_ = static_cast<Opcode>(opcode);
    left_ = length;
    std::copy_n(header_.begin() + static_cast<std::ptrdiff_t>(kShortHeader + more), kMaskBytes, mask_.begin());
    mask_at_ = 0;
    return is_control(opcode) || start_message_frame(length);
}

bool WebSocketDecoder::start_message_frame(std::uint64_t length) {
    if (opcode_ == Opcode::text) {
        fail(WebSocketClose::not_binary);
        return false;
    }
    if ((opcode_ == Opcode::continuation) != in_message_) {
        fail(WebSocketClose::protocol_error);
        return false;
    }
    if (!in_message_) {
        fragmented_ = !final_;
        if (!fragmented_) append_length(output_, length);
    }
    in_message_ = true;
    return true;
}

std::size_t WebSocketDecoder::read_payload(std::span<const char> bytes) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_));
    std::string& into = is_control(static_cast<unsigned>(opcode_)) ? control_ : fragmented_ ? message_ : output_;
    const std::size_t begin = into.size();
    into.append(bytes.data(), count);
    unmask(std::span{into}.subspan(begin), mask_, mask_at_);
    mask_at_ = (mask_at_ + count) % kMaskBytes;
    left_ -= count;
    if (fragmented_ && message_.size() > longest_) {
        append_length(output_, message_.size());
        output_ += std::exchange(message_, {});
    }
    return count;
}

void WebSocketDecoder::end_frame() {
    in_payload_ = false;
    if (is_control(static_cast<unsigned>(opcode_))) return end_control();
    if (!final_) return;
    in_message_ = false;
    idle_frames_ = 0;
    ++messages_;
    if (!std::exchange(fragmented_, false)) return;
    append_length(output_, message_.size());
    output_ += std::exchange(message_, {});
}

void WebSocketDecoder::end_control() {
    const std::string payload = std::exchange(control_, {});
    if (opcode_ == Opcode::ping) ping_ = payload;
    if (opcode_ != Opcode::close) return;
    if (payload.empty()) {
        closed_ = kNoStatus;
        return;
    }
    if (payload.size() == 1) return fail(WebSocketClose::protocol_error);
    const auto code = static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8U |
                                                 static_cast<unsigned char>(payload[1]));
    if (!may_close_with(code)) return fail(WebSocketClose::protocol_error);
    const std::string_view reason = std::string_view{payload}.substr(2);
    if (first_invalid_utf8(reason) != reason.size()) return fail(WebSocketClose::not_utf8);
    closed_ = code;
}

std::size_t WebSocketDecoder::take(std::span<char> into) {
    const std::size_t count = std::min(into.size(), output_.size() - taken_);
    std::memcpy(into.data(), output_.data() + taken_, count);
    taken_ += count;
    if (taken_ == output_.size()) {
        constexpr std::size_t kKept = std::size_t{64} << 10U;
        if (output_.capacity() > kKept) output_ = {};
        output_.clear();
        taken_ = 0;
    }
    return count;
}

void WebSocketEncoder::add_header(std::uint64_t payload, std::size_t prefix_bytes, std::size_t skipped) {
    std::array<char, 10>& header = headers_.emplace_back();
    std::size_t size = kShortHeader;
    header[0] = static_cast<char>(kFinal | 2U);
    if (payload <= kLongestShort) {
        header[1] = static_cast<char>(payload);
    } else {
        const std::size_t more = payload <= 0xFFFFU ? 2 : 8;
        header[1] = static_cast<char>(more == 2 ? kTwoBytes : kEightBytes);
        for (std::size_t i = 0; i < more; ++i) header[size++] = static_cast<char>(payload >> 8U * (more - 1 - i));
    }
    wire_.emplace_back(header.data() + skipped, size - skipped);
    pieces_.push_back({.input = prefix_bytes, .payload = payload});
}

std::span<const asio::const_buffer> WebSocketEncoder::encode(std::span<const asio::const_buffer> buffers) {
    headers_.clear();
    wire_.clear();
    pieces_.clear();
    std::uint64_t left = payload_left_;
    std::size_t skipped = header_sent_;
    std::uint64_t length = 0;
    unsigned prefix_bytes = 0;  // of the length that is being read
    for (asio::const_buffer buffer : buffers) {
        while (buffer.size() != 0) {
            if (left != 0) {
                const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()));
                wire_.emplace_back(buffer.data(), count);
                pieces_.push_back({.input = count});
                left -= count;
                buffer += count;
                continue;
            }
            const auto byte = *static_cast<const unsigned char*>(buffer.data());
            length |= std::uint64_t{byte & 0x7FU} << 7U * prefix_bytes++;
            buffer += 1;
            if ((byte & 0x80U) != 0) continue;
            add_header(length, prefix_bytes, std::exchange(skipped, 0));
            left = std::exchange(length, 0);
            prefix_bytes = 0;
        }
    }
    return wire_;
}

std::size_t WebSocketEncoder::sent(std::size_t bytes) {
    std::size_t input = 0;
    for (std::size_t i = 0; i < pieces_.size() && bytes != 0; ++i) {
        const std::size_t count = std::min(bytes, wire_[i].size());
        bytes -= count;
        const Piece& piece = pieces_[i];
        if (!piece.payload) {
            payload_left_ -= count;
            input += count;
        } else if (count == wire_[i].size()) {
            payload_left_ = *piece.payload;
            header_sent_ = 0;
            input += piece.input;
        } else {
            header_sent_ += count;
        }
    }
    return input;
}

std::string pong_frame(std::string_view payload) {
    std::string frame{static_cast<char>(kFinal | 10U), static_cast<char>(payload.size())};
    return frame.append(payload);
}

std::string close_frame(std::uint16_t code) {
    if (code == kNoStatus) return {static_cast<char>(kFinal | 8U), 0};
    return {static_cast<char>(kFinal | 8U), 2, static_cast<char>(code >> 8U), static_cast<char>(code & 0xFFU)};
}

std::optional<std::string> accept_of_key(std::string_view key) {
    constexpr std::string_view kMagic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    constexpr std::size_t kKeyCharacters = 24;
    std::array<unsigned char, kKeyCharacters> bytes{};
    const auto* const text = reinterpret_cast<const unsigned char*>(key.data());
    // 22 characters of base64 are 16 bytes, and two pads.
    if (key.size() != kKeyCharacters || !key.ends_with("==") || key[kKeyCharacters - 3] == '=' ||
        EVP_DecodeBlock(bytes.data(), text, static_cast<int>(kKeyCharacters)) < 0)
        return std::nullopt;
    const std::string source = std::string{key}.append(kMagic);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_Digest(source.data(), source.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) return std::nullopt;
    std::array<unsigned char, 64> accept{};
    const int length = EVP_EncodeBlock(accept.data(), digest.data(), static_cast<int>(size));
    return std::string{accept.begin(), accept.begin() + length};
}

}  // namespace rta::net
