// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rta::net {

/// What the first bytes of a client are.
enum class FirstBytes : std::uint8_t {
    hello,  ///< the beginning of a Hello, as far as they go
    http,   ///< an HTTP request, by its method
    tls,    ///< a TLS handshake, by its header
    other,
};

/// Number of bytes that recognise() looks at.
inline constexpr std::size_t kRecognisedBytes = 15;

/// Recognises the protocol of a client. A Hello must begin with the length of the frame, in one or two bytes, and with
/// the tag of a field that `Request` has in front of its `oneof`, or of Hello itself: every protobuf runtime writes them
/// in this order. A frame that only contains a Hello is not enough. The fields in front of it could be the beginning of
/// an HTTP request, whose headers may contain the bytes of a Hello, and whose method never contains such a tag.
[[nodiscard]] FirstBytes recognise(std::string_view bytes);

}  // namespace rta::net
