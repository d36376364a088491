// SPDX-License-Identifier: MIT
// For all inputs, split in any way: requests, refusals and messages do not depend on the cut; a refusal is final; nothing is
// kept that has not arrived; and what the encoder writes are the messages that it was given.
#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frame/frame_codec.h"
#include "net/web/http_request.h"
#include "net/web/web_names.h"
#include "net/web/websocket_frames.h"

namespace {

using namespace rta::net;

void require(bool condition, const char* promise) {
    if (condition) return;
    std::fprintf(stderr, "broken: %s\n", promise);
    std::abort();
}

struct Requests {
    std::string text;  ///< of all requests
    int refused = 0;
    std::string rest;  ///< unless refused
    bool operator==(const Requests&) const = default;
};

void check(const HttpRequest& request) {
    require(request.path.starts_with('/'), "a path begins with /");
    require(request.path.find('\0') == std::string::npos, "a path has no NUL");
    require(request.method == "GET" || request.method == "HEAD", "only GET and HEAD");
    require(request.find("host") != nullptr, "a request has a Host");
    require(std::ranges::count(request.fields, "host", &HttpRequest::Field::name) == 1, "one Host");
    require(request.find("transfer-encoding") == nullptr, "a request has no body");
    for (const HttpRequest::Field& field : request.fields) {
        require(field.name == lower_case(field.name) && field.name.find(' ') == std::string::npos, "a name is a token");
        require(field.value.find_first_of(std::string_view{"\r\n\0", 3}) == std::string::npos, "a value is one line");
    }
}

Requests read_requests(std::string_view stream, std::size_t piece) {
    Requests all;
    HttpReader reader;
    while (!stream.empty() && all.refused == 0) {
        reader.feed(stream.substr(0, piece));
        stream.remove_prefix(std::min(piece, stream.size()));
        for (;;) {
            const auto next = reader.next();
            if (!next) all.refused = next.error().status;
            if (!next || !*next) break;
            check(**next);
            all.text += (*next)->method + " " + (*next)->target + "\n";
            for (const auto& [name, value] : (*next)->fields)
                all.text.append(name).append(":").append(value).append("\n");
        }
    }
    require(all.refused == 0 || (all.refused >= 400 && all.refused < 600), "a refusal has a status");
    if (all.refused == 0) all.rest = reader.take_rest();
    require(all.rest.size() <= HttpReader::kLongestHead + piece, "no more than a head is kept");
    return all;
}

struct Messages {
    std::string delimited;
    std::optional<std::uint16_t> closed;
    std::optional<WebSocketClose> failure;
    bool operator==(const Messages&) const = default;
};

Messages read_messages(std::string_view stream, std::size_t piece) {
    Messages all;
    WebSocketDecoder decoder;
    decoder.limit_message(4096);
    decoder.limit_idle_frames(8);
    std::array<char, 7> some{};
    std::size_t received = 0;
    while (!stream.empty()) {
        const std::string_view part = stream.substr(0, piece);
        stream.remove_prefix(part.size());
        received += part.size();
        decoder.feed(part);
        require(decoder.held_bytes() + all.delimited.size() <= 2 * received + 16,
                "nothing is kept that has not arrived");
        while (const std::size_t count = decoder.take(some)) all.delimited.append(some.data(), count);
        if (const auto ping = decoder.take_ping()) require(ping->size() <= 125, "a ping is short");
    }
    all.closed = decoder.closed();
    all.failure = decoder.failure();
    require(!all.closed || !all.failure, "one end");
    return all;
}

/// Returns the payloads of frames as a server sends them.
std::vector<std::string> payloads_of(std::string_view wire) {
    std::vector<std::string> payloads;
    while (!wire.empty()) {
        const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(wire[at]); };
        require(wire.size() >= 2 && byte(0) == 0x82, "binary, final");
        std::size_t size = byte(1);
        std::size_t header = 2;
        if (size >= 126) {
            header = size == 126 ? 4 : 10;
            require(wire.size() >= header, "a whole header");
            size = 0;
            for (std::size_t i = 2; i < header; ++i) size = size << 8U | byte(i);
        }
        require(wire.size() >= header + size, "a whole frame");
        payloads.emplace_back(wire.substr(header, size));
        wire.remove_prefix(header + size);
    }
    return payloads;
}

/// Sends messages whose payloads are pieces of `data`, at most `step` bytes at a time.
void write_messages(std::string_view data, std::size_t step) {
    std::vector<std::string> payloads;
    std::string delimited;
    for (std::string_view rest = data; !rest.empty();) {
        const std::size_t size = std::min<std::size_t>(rest.size(), static_cast<unsigned char>(rest[0]) * 3U);
        payloads.emplace_back(rest.substr(0, size));
        rta::append_frame(delimited, payloads.back());
        rest.remove_prefix(std::max<std::size_t>(size, 1));
    }
    WebSocketEncoder encoder;
    std::string wire;
    for (std::size_t begin = 0; begin < delimited.size();) {
        const std::size_t half = (delimited.size() - begin) / 2;
        const std::array buffers{asio::buffer(delimited.data() + begin, half),
                                 asio::buffer(delimited.data() + begin + half, delimited.size() - begin - half)};
        const std::array<asio::const_buffer, 2> constant{buffers[0], buffers[1]};
        std::size_t sent = 0;
        for (const asio::const_buffer& buffer : encoder.encode(constant)) {
            const std::size_t count = std::min(step - sent, buffer.size());
            wire.append(static_cast<const char*>(buffer.data()), count);
            sent += count;
        }
        begin += encoder.sent(sent);
    }
    require(encoder.at_boundary(), "all was sent");
    require(payloads_of(wire) == payloads, "the frames are the messages");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view stream{reinterpret_cast<const char*>(data), size};
    const Requests requests = read_requests(stream, size);
    const Messages messages = read_messages(stream, size);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{64}}) {
        require(read_requests(stream, piece) == requests, "the cut makes no difference to the requests");
        const Messages cut = read_messages(stream, piece);
        // A fragmented message that is too long is passed on as far as it has arrived.
        if (size <= 4096) require(cut == messages, "the cut makes no difference to the messages");
        write_messages(stream, std::max(piece, size / 32));  // each step encodes the rest
    }
    static_cast<void>(accept_of_key(stream));
    if (const auto name = check_web_name(stream); name) require(!host_of_web_name(stream).empty(), "a name has a host");
    const std::array<std::string, 2> hosts{"localhost", "::1"};
    const WebNames names{hosts, {}, 8080, false};
    if (names.has_host(stream, ""))
        require(lower_case(stream) == "localhost:8080" || stream == "[::1]:8080", "only names of the server");
    return 0;
}
