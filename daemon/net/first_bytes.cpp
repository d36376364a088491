// SPDX-License-Identifier: MIT
#include "net/first_bytes.h"

#include <algorithm>

#include "rta/v1/control.pb.h"

namespace rta::net {
namespace {

constexpr std::size_t kShortestMethod = 3;  // GET

constexpr bool is_method_character(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

bool is_http(std::string_view bytes) {
    const auto end = std::ranges::find_if_not(bytes, is_method_character);
    return end - bytes.begin() >= std::ptrdiff_t{kShortestMethod} && end != bytes.end() && *end == ' ';
}

constexpr char tag(int field_number, int wire_type) { return static_cast<char>(field_number << 3 | wire_type); }

/// Returns whether the bytes may be continued to a frame that begins with the fields of a Hello.
bool may_become_hello(std::string_view bytes) {
    constexpr int kVarint = 0;
    constexpr int kBytes = 2;
    const auto continues = [&](std::size_t i) {
        return i < bytes.size() && (static_cast<unsigned char>(bytes[i]) & 0x80U) != 0;
    };
    if (continues(0) && continues(1)) return false;  // 16 KiB or more
    const std::size_t first = continues(0) ? 2 : 1;
    if (bytes.size() <= first) return bytes.empty() || bytes.front() != 0;
    return bytes[first] == tag(v1::Request::kIdFieldNumber, kVarint) ||
           bytes[first] == tag(v1::Request::kTimeoutMsFieldNumber, kVarint) ||
           bytes[first] == tag(v1::Request::kHelloFieldNumber, kBytes);
}

}  // namespace

FirstBytes recognise(std::string_view bytes) {
    bytes = bytes.substr(0, kRecognisedBytes);
    if (may_become_hello(bytes)) return FirstBytes::hello;
    if (bytes.starts_with("\x16\x03")) return FirstBytes::tls;
    return is_http(bytes) ? FirstBytes::http : FirstBytes::other;
}

}  // namespace rta::net
