// SPDX-License-Identifier: MIT
#include "api/events/outbox.h"

#include <gtest/gtest.h>

#include "frame/frame_codec.h"
#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

SharedFrame event_of(std::size_t bytes) { return SharedFrame{std::string(bytes, 'e')}; }

v1::ServerMessage response_of(std::uint64_t id, std::size_t bytes = 0) {
    v1::ServerMessage message;
    message.mutable_response()->set_id(id);
    message.mutable_response()->mutable_status()->set_message(std::string(bytes, 'r'));
    return message;
}

std::string drain(Outbox& outbox) {
    std::string all;
    while (!outbox.empty()) {
        const auto chunks = outbox.take(1);
        for (const auto& chunk : chunks) all += chunk.bytes();
        outbox.sent(chunks);
    }
    return all;
}

TEST(Outbox, GivesEverythingBackInOrder) {
    Outbox outbox;
    std::string expected;
    for (std::uint64_t i = 1; i <= 300; ++i) {
        const v1::ServerMessage response = response_of(i, i * 7);
        append_frame(expected, response.SerializeAsString());
        outbox.push_response(response);
        const SharedFrame event = event_of(i * 40);
        expected += event.bytes();
        ASSERT_TRUE(outbox.push_event(event));
    }
    EXPECT_EQ(outbox.unsent_bytes(), expected.size());
    EXPECT_EQ(drain(outbox), expected);
    EXPECT_EQ(outbox.unsent_bytes(), 0U);
}

TEST(Outbox, GathersSmallFrames) {
    Outbox outbox;
    for (std::uint64_t i = 0; i < 100; ++i) outbox.push_response(response_of(i));
    EXPECT_EQ(outbox.take(1).size(), 1U);
    EXPECT_TRUE(outbox.empty());
}

TEST(Outbox, SharesLargeEventsInsteadOfCopyingThem) {
    const SharedFrame large = event_of(1'000'000);
    Outbox first;
    Outbox second;
    ASSERT_TRUE(first.push_event(large));
    ASSERT_TRUE(second.push_event(large));
    EXPECT_EQ(first.take(1).front().bytes().data(), large.bytes().data());
    EXPECT_EQ(second.take(1).front().bytes().data(), large.bytes().data());
}

/// Returns a change as the hub creates it, of about `bytes` bytes.
v1::ServerMessage change_of(std::uint64_t number, std::size_t bytes = 10) {
    v1::ServerMessage message;
    message.mutable_event()->set_number(number);
    message.mutable_event()->mutable_node_faulted()->set_node(std::string(bytes, 'n'));
    return message;
}

TEST(Outbox, SmallEventsSideBySideAreOneChunkOfMemoryThatAllShare) {
    FramePages pages;
    Outbox first;
    Outbox second;
    std::string expected;
    for (std::uint64_t i = 0; i < 5'000; ++i) {
        const v1::ServerMessage change = change_of(i, i % 700);
        append_frame(expected, change.SerializeAsString());
        const SharedFrame frame = pages.add(change);
        ASSERT_TRUE(first.push_event(frame));
        ASSERT_TRUE(second.push_event(frame));
    }
    const auto chunks = first.take(expected.size());
    EXPECT_LE(chunks.size(), expected.size() / FramePages::kPageBytes + 2);
    EXPECT_EQ(chunks.front().bytes().data(), second.take(1).front().bytes().data());
    std::string all;
    for (const auto& chunk : chunks) all += chunk.bytes();
    EXPECT_EQ(all, expected);
}

TEST(Outbox, APageIsNotMovedWhileSomebodyHoldsAViewOfIt) {
    FramePages pages;
    Outbox outbox;
    const v1::ServerMessage change = change_of(1);
    std::string expected;
    append_frame(expected, change.SerializeAsString());
    ASSERT_TRUE(outbox.push_event(pages.add(change)));
    const auto taken = outbox.take(1);
    for (std::uint64_t i = 0; i < 20'000; ++i) static_cast<void>(pages.add(change_of(i, i % 10'000)));
    EXPECT_EQ(taken.front().bytes(), expected);
}

TEST(Outbox, EventsBetweenAnswersAreLimitedInNumber) {
    FramePages pages;
    Outbox outbox;
    std::size_t pushed = 0;
    while (pushed < Outbox::kEventLimitChunks && outbox.push_event(pages.add(change_of(pushed)))) {
        outbox.push_response(response_of(++pushed));
    }
    EXPECT_EQ(pushed, Outbox::kEventLimitChunks / 2);
    std::string all = drain(outbox);
    EXPECT_TRUE(outbox.push_event(pages.add(change_of(1))));
}

TEST(Outbox, TakesAboutAsMuchAsIsWanted) {
    Outbox outbox;
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(outbox.push_event(event_of(100'000)));
    EXPECT_EQ(outbox.take(250'000).size(), 3U);
    EXPECT_EQ(outbox.take(1).size(), 1U);
}

TEST(Outbox, HasNoRoomUntilEnoughIsReallySent) {
    Outbox outbox;
    EXPECT_TRUE(outbox.has_room());
    outbox.push_response(response_of(1, OutboxLimits{}.response_bytes));
    EXPECT_FALSE(outbox.has_room());
    const auto chunks = outbox.take(1);
    EXPECT_FALSE(outbox.has_room()) << "taken is not yet sent";
    outbox.sent(chunks);
    EXPECT_TRUE(outbox.has_room());
}

TEST(Outbox, RefusesEventsBeyondTheLimitAndNotOneBefore) {
    Outbox outbox;
    const SharedFrame event = event_of(std::size_t{1} << 20U);
    for (std::size_t bytes = 0; bytes < OutboxLimits{}.event_bytes; bytes += event.size()) {
        ASSERT_TRUE(outbox.push_event(event)) << bytes;
    }
    EXPECT_FALSE(outbox.push_event(event_of(1)));
    outbox.push_response(response_of(7));  // responses have a separate bound
    const auto chunks = outbox.take(1);
    EXPECT_FALSE(outbox.push_event(event)) << "taken is not yet sent";
    outbox.sent(chunks);
    EXPECT_TRUE(outbox.push_event(event));
}

SharedTelemetry telemetry_of(std::uint64_t frame, std::size_t clients = 0) {
    v1::Event event;
    event.mutable_load()->set_frame(frame);
    for (std::size_t i = 0; i < clients; ++i) event.mutable_levels()->add_meters()->set_node(std::string(1000, 'm'));
    return std::make_shared<std::string>(event.SerializeAsString());
}

TEST(Outbox, TelemetryGoesBehindTheRestAndDoesNotHoldUpAnswers) {
    Outbox outbox;
    outbox.push_telemetry(telemetry_of(1));
    EXPECT_FALSE(outbox.empty());
    std::string expected;
    append_frame(expected, response_of(1).SerializeAsString());
    outbox.push_response(response_of(1));
    EXPECT_EQ(outbox.unsent_bytes(), expected.size());
    v1::ServerMessage event;
    event.mutable_event()->mutable_load()->set_frame(1);
    event.mutable_event()->set_telemetry_number(1);
    std::string all = drain(outbox);
    ASSERT_TRUE(all.starts_with(expected));
    FrameDecoder decoder;
    decoder.feed(std::string_view{all}.substr(expected.size()));
    v1::ServerMessage received;
    const auto frame = decoder.next();
    ASSERT_TRUE(frame && *frame);
    ASSERT_TRUE(received.ParseFromArray((*frame)->data(), static_cast<int>((*frame)->size())));
    EXPECT_EQ(received.SerializeAsString(), event.SerializeAsString());
    EXPECT_EQ(decoder.buffered(), 0U);
    EXPECT_EQ(outbox.unsent_bytes(), 0U);
}

TEST(Outbox, TelemetryThatNobodyReadsIsBoundedInNumberAndInBytes) {
    Outbox outbox;
    for (std::uint64_t i = 0; i < 1'000; ++i) outbox.push_telemetry(telemetry_of(i));
    EXPECT_EQ(outbox.telemetry_dropped(), 1'000 - Outbox::kTelemetryEvents);
    static_cast<void>(drain(outbox));
    for (std::uint64_t i = 0; i < 100; ++i) outbox.push_telemetry(telemetry_of(i, 1'000));  // 1 MB each
    const std::size_t bytes = drain(outbox).size();
    EXPECT_LE(bytes, OutboxLimits{}.telemetry_bytes + 100'000);
    EXPECT_GT(bytes, OutboxLimits{}.telemetry_bytes / 2);
}

TEST(Outbox, AFilterReducesTelemetryWhenItIsTaken) {
    v1::Event levels;
    for (const char* name : {"a", "b", "c"}) levels.mutable_levels()->add_meters()->set_node(name);
    Outbox outbox;
    outbox.push_telemetry(std::make_shared<std::string>(levels.SerializeAsString()));
    outbox.filter_telemetry(std::make_shared<NodeFilter>(std::vector<std::string>{"b"}));
    FrameDecoder decoder;
    decoder.feed(drain(outbox));
    v1::ServerMessage received;
    const auto frame = decoder.next();
    ASSERT_TRUE(frame && *frame);
    ASSERT_TRUE(received.ParseFromArray((*frame)->data(), static_cast<int>((*frame)->size())));
    EXPECT_EQ(received.event().telemetry_number(), 1U);
    ASSERT_EQ(received.event().levels().meters_size(), 1);
    EXPECT_EQ(received.event().levels().meters(0).node(), "b");
}

TEST(Outbox, LittleTelemetryIsTakenAtOnceSoThatItDoesNotGrowStale) {
    Outbox outbox;
    for (std::uint64_t i = 0; i < 256; ++i) outbox.push_telemetry(telemetry_of(i, 1));  // 1 KB each
    std::size_t bytes = 0;
    for (const auto& chunk : outbox.take(std::size_t{256} << 10U)) bytes += chunk.bytes().size();
    EXPECT_LE(bytes, std::size_t{34} << 10U);
    EXPECT_FALSE(outbox.empty());
}

}  // namespace
}  // namespace rta::api
