// SPDX-License-Identifier: MIT
#include "frame/frame_codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace rta {
namespace {

/// Returns every frame of the stream, decoded in pieces of `piece` bytes.
std::vector<std::string> decode(FrameDecoder& decoder, std::string_view stream, std::size_t piece) {
    std::vector<std::string> frames;
    while (!stream.empty()) {
        const std::string_view part = stream.substr(0, piece);
        stream.remove_prefix(part.size());
        decoder.feed(part);
        while (true) {
            const auto frame = decoder.next();
            if (!frame || !*frame) break;
            frames.emplace_back(**frame);
        }
    }
    return frames;
}

std::string varint(std::uint64_t value) {
    std::string bytes;
    for (; value >= 0x80; value >>= 7U) bytes.push_back(static_cast<char>((value & 0x7FU) | 0x80U));
    bytes.push_back(static_cast<char>(value));
    return bytes;
}

FrameError error_of(std::string_view stream) {
    FrameDecoder decoder;
    decoder.feed(stream);
    const auto frame = decoder.next();
    EXPECT_FALSE(frame) << "a frame, or a wait for more bytes, instead of an error";
    return frame ? FrameError{} : frame.error();
}

TEST(FrameCodec, GivesBackWhatWasAppendedHoweverTheStreamIsCut) {
    std::vector<std::string> payloads{
        "", "a", std::string(127, 'b'), std::string(128, 'c'), "", std::string(20'000, 'd')};
    std::string stream;
    for (const std::string& payload : payloads) append_frame(stream, payload);
    for (const std::size_t piece : {1U, 2U, 3U, 7U, 128U, 129U, 16'384U, 1'000'000U}) {
        FrameDecoder decoder;
        EXPECT_EQ(decode(decoder, stream, piece), payloads) << "in pieces of " << piece;
        EXPECT_EQ(decoder.buffered(), 0U);
    }
}

TEST(FrameCodec, ASmallerMaximumRefusesALengthBeforeThePayloadArrives) {
    std::string stream;
    append_frame(stream, std::string(4096, 'x'));
    FrameDecoder decoder;
    decoder.feed(stream);
    const auto whole = decoder.next(4096);
    ASSERT_TRUE(whole);
    EXPECT_TRUE(*whole);
    decoder.feed(varint(4097));
    const auto longer = decoder.next(4096);
    ASSERT_FALSE(longer);
    EXPECT_EQ(longer.error(), FrameError::too_long);
}

TEST(FrameCodec, EveryCutInTwoGivesTheSame) {
    const std::vector<std::string> payloads{std::string(200, 'x'), "yy", "", "z"};
    std::string stream;
    for (const std::string& payload : payloads) append_frame(stream, payload);
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        FrameDecoder decoder;
        auto frames = decode(decoder, std::string_view{stream}.substr(0, cut), stream.size());
        for (std::string& frame : decode(decoder, std::string_view{stream}.substr(cut), stream.size())) {
            frames.push_back(std::move(frame));
        }
        EXPECT_EQ(frames, payloads) << "cut after " << cut;
    }
}

TEST(FrameCodec, WritesTheLengthAsAVarint) {
    std::string out = "before";
    append_frame(out, std::string(300, 'p'));
    EXPECT_EQ(out, "before\xAC\x02" + std::string(300, 'p'));
}

TEST(FrameCodec, TakesTheLargestFrameAndNoLargerOne) {
    const std::string largest(kMaximumFrameBytes, 'm');
    std::string stream;
    append_frame(stream, largest);
    FrameDecoder decoder;
    const auto frames = decode(decoder, stream, 65'536);
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames.front(), largest);

    EXPECT_EQ(error_of(varint(kMaximumFrameBytes + 1)), FrameError::too_long);
}

TEST(FrameCodec, RefusesAbsurdLengths) {
    for (const std::uint64_t length : {std::uint64_t{1} << 31U, std::uint64_t{1} << 32U, std::uint64_t{1} << 62U,
                                       std::uint64_t{1} << 63U, ~std::uint64_t{0}}) {
        EXPECT_EQ(error_of(varint(length)), FrameError::too_long) << length;
    }
}

TEST(FrameCodec, RefusesALengthAsSoonAsItCannotBecomeRight) {
    // The first four bytes announce 5 MiB, whether more bytes follow or not.
    EXPECT_EQ(error_of("\x80\x80\xC0\x82"), FrameError::too_long);
}

TEST(FrameCodec, RefusesVarintsThatAreNone) {
    using namespace std::string_view_literals;
    // Ten bytes, each of which announces another one.
    EXPECT_EQ(error_of("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"sv), FrameError::bad_length);
    // The tenth byte would set bit 64.
    EXPECT_EQ(error_of("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02"sv), FrameError::bad_length);
    // Eleven bytes for a zero.
    EXPECT_EQ(error_of("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"sv), FrameError::bad_length);
}

TEST(FrameCodec, TakesALengthWrittenLongerThanItNeedsToBe) {
    using namespace std::string_view_literals;
    FrameDecoder decoder;
    decoder.feed("\x82\x80\x80\x80\x80\x80\x80\x80\x80\x00hi"sv);
    const auto frame = decoder.next();
    ASSERT_TRUE(frame && *frame);
    EXPECT_EQ(**frame, "hi");
}

TEST(FrameCodec, WaitsForAnUnfinishedLengthAndAnUnfinishedPayload) {
    FrameDecoder decoder;
    EXPECT_FALSE(decoder.next().value());
    decoder.feed(std::string_view{"\x85"});
    EXPECT_FALSE(decoder.next().value());
    decoder.feed(std::string_view{"\x01"});
    decoder.feed(std::string(132, 'q'));
    EXPECT_FALSE(decoder.next().value());
    EXPECT_EQ(decoder.buffered(), 134U);
    decoder.feed(std::string_view{"q"});
    ASSERT_TRUE(decoder.next().value());
    EXPECT_EQ(decoder.buffered(), 0U);
}

TEST(FrameCodec, HandsOverALargeFrameWithoutACopy) {
    const std::string large(3'000'000, 'x');
    std::string stream;
    for (const std::string_view payload :
         {std::string_view{"first"}, std::string_view{large}, std::string_view{"last"}})
        append_frame(stream, payload);
    for (const std::size_t piece : {std::size_t{64} << 10U, std::size_t{1'000}, std::size_t{40'001}}) {
        FrameDecoder decoder;
        std::vector<std::string> frames;
        for (std::string_view rest = stream; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size()))) {
            decoder.feed(rest.substr(0, piece));
            while (const auto frame = decoder.next().value()) {
                const char* const place = frame->data();
                frames.push_back(decoder.claim());
                const bool same = frames.back().data() == place;
                EXPECT_EQ(same, frames.back().size() == large.size()) << piece;
            }
        }
        EXPECT_EQ(frames, (std::vector<std::string>{"first", large, "last"})) << piece;
        EXPECT_EQ(decoder.buffered(), 0U);
    }
}

TEST(FrameCodec, StaysInErrorAndKeepsNothingMore) {
    FrameDecoder decoder;
    std::string good;
    append_frame(good, "fine");
    decoder.feed(good + varint(~std::uint64_t{0}));
    ASSERT_TRUE(decoder.next().value());
    ASSERT_FALSE(decoder.next());
    const std::size_t held = decoder.buffered();
    decoder.feed(good);
    EXPECT_FALSE(decoder.next());
    EXPECT_EQ(decoder.buffered(), held);
}

TEST(FrameCodec, SaysWhatIsWrong) {
    EXPECT_NE(frame_error_sentence(FrameError::too_long).find("4194304 bytes (4 MiB)"), std::string::npos);
    EXPECT_NE(frame_error_sentence(FrameError::bad_length).find("varint"), std::string::npos);
}

}  // namespace
}  // namespace rta
