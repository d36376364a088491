// SPDX-License-Identifier: MIT
// For all inputs, split in any way: the frames are those of the stream, an error persists, and the decoder holds no
// more bytes than it has received.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "frame/frame_codec.h"

namespace {

void require(bool condition, const char* promise) {
    if (condition) return;
    std::fprintf(stderr, "broken: %s\n", promise);
    std::abort();
}

struct Decoded {
    std::vector<std::string> frames;
    bool failed = false;
    std::size_t left = 0;
};

Decoded decode(std::string_view stream, std::size_t piece) {
    Decoded decoded;
    rta::FrameDecoder decoder;
    while (!stream.empty() && !decoded.failed) {
        const std::string_view part = stream.substr(0, piece);
        stream.remove_prefix(part.size());
        decoder.feed(part);
        while (true) {
            const auto frame = decoder.next();
            if (!frame) decoded.failed = true;
            if (!frame || !*frame) break;
            decoded.frames.emplace_back(**frame);
            // Of some frames the string is taken; the rest of the stream must not depend on it.
            if (decoded.frames.size() % 2 == 0)
                require(decoder.claim() == decoded.frames.back(), "a claim is the frame");
        }
    }
    decoded.left = decoder.buffered();
    if (decoded.failed) require(!decoder.next(), "an error stays an error");
    return decoded;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view stream{reinterpret_cast<const char*>(data), size};
    const Decoded whole = decode(stream, size);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{64}}) {
        const Decoded cut = decode(stream, piece);
        require(cut.frames == whole.frames, "the cut makes no difference to the frames");
        require(cut.failed == whole.failed, "the cut makes no difference to the error");
        if (!cut.failed) require(cut.left == whole.left, "the cut makes no difference to the rest");
    }
    std::string again;
    for (const std::string& frame : whole.frames) rta::append_frame(again, frame);
    const Decoded repeated = decode(again, again.size());
    require(repeated.frames == whole.frames && !repeated.failed && repeated.left == 0, "what is written can be read");
    require(again.size() + whole.left <= size, "nothing is held that did not come");
    return 0;
}
