// SPDX-License-Identifier: MIT
#include "net/web/websocket_frames.h"

#include <gtest/gtest.h>

#include <string>

namespace rta::net {
namespace {

constexpr unsigned kFragment = 0x00;
constexpr unsigned kFirst = 0x02;
constexpr unsigned kLast = 0x80;
constexpr unsigned kMessage = 0x82;
constexpr unsigned kPing = 0x89;
constexpr unsigned kPong = 0x8A;

/// Returns a frame of a client, with a mask of zeros.
std::string frame(unsigned first, std::size_t bytes) {
    std::string text{static_cast<char>(first), static_cast<char>(0x80U | bytes)};
    return text.append(4 + bytes, '\0');
}

class IdleFrames : public testing::Test {
 protected:
    IdleFrames() {
        decoder.limit_message(1'000);
        decoder.limit_idle_frames(3);
    }
    bool accepts(unsigned first, std::size_t bytes = 0) {
        decoder.feed(frame(first, bytes));
        return !decoder.failure();
    }
    WebSocketDecoder decoder;
};

TEST_F(IdleFrames, AreBoundedUntilAMessageIsComplete) {
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(accepts(kPing));
        EXPECT_TRUE(accepts(kPong, 125));
        EXPECT_TRUE(accepts(kPing));
        EXPECT_TRUE(accepts(kMessage, 1));
    }
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(accepts(kPong));
    EXPECT_FALSE(accepts(kPing));
    EXPECT_EQ(decoder.failure(), WebSocketClose::policy_violation);
    EXPECT_EQ(decoder.messages(), 3U);
}

TEST_F(IdleFrames, SmallFragmentsAreThose) {
    EXPECT_TRUE(accepts(kFirst, 1));
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(accepts(kFragment, WebSocketDecoder::kSmallFragment));
    EXPECT_TRUE(accepts(kPing)) << "within a message";
    EXPECT_TRUE(accepts(kFragment, 0));
    EXPECT_TRUE(accepts(kLast, 1));
    EXPECT_TRUE(accepts(kFirst, 0));
    EXPECT_TRUE(accepts(kFragment, 63));
    EXPECT_TRUE(accepts(kFragment, 0));
    EXPECT_FALSE(accepts(kFragment, 63));
}

}  // namespace
}  // namespace rta::net
