// SPDX-License-Identifier: MIT
#include "api/events/event_hub.h"

#include <gtest/gtest.h>

#include <set>

#include "frame/frame_codec.h"
#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

constexpr std::size_t kKeptBytes = std::size_t{16} << 20U;

class Listener final : public EventHub::Subscriber {
 public:
    void deliver(const Change& change) override { frames.push_back(change.frame); }
    void missed() override { ++misses; }
    [[nodiscard]] std::vector<std::uint64_t> numbers() const {
        std::vector<std::uint64_t> numbers;
        for (const SharedFrame& frame : frames) {
            FrameDecoder decoder;
            decoder.feed(frame.bytes());
            const auto payload = decoder.next();
            v1::ServerMessage message;
            EXPECT_TRUE(message.ParseFromString(std::string{payload.value().value()}));
            numbers.push_back(message.event().number());
        }
        return numbers;
    }
    std::vector<SharedFrame> frames;
    int misses = 0;
};

void publish(EventHub& hub) {
    hub.publish([](v1::Event& event) { event.mutable_node_faulted()->set_node("n"); });
}

TEST(EventHub, NumbersChangesWithoutAGapWhetherOrNotAnybodyListens) {
    EventHub hub{"id", kKeptBytes};
    bool filled = false;
    hub.publish([&](v1::Event&) { filled = true; });
    EXPECT_FALSE(filled) << "no client listens: nothing is to be built";
    EXPECT_EQ(hub.number(), 1U);

    Listener early;
    Listener late;
    hub.subscribe(early);
    publish(hub);
    hub.subscribe(late);
    hub.subscribe(late);
    EXPECT_EQ(hub.subscriber_count(), 2U);
    publish(hub);
    hub.unsubscribe(early);
    publish(hub);
    EXPECT_EQ(early.numbers(), (std::vector<std::uint64_t>{2, 3}));
    EXPECT_EQ(late.numbers(), (std::vector<std::uint64_t>{3, 4}));
}

TEST(EventHub, SerialisesAnEventOnce) {
    EventHub hub{"id", kKeptBytes};
    Listener first;
    Listener second;
    hub.subscribe(first);
    hub.subscribe(second);
    publish(hub);
    EXPECT_EQ(first.frames.front().bytes().data(), second.frames.front().bytes().data());
}

TEST(EventHub, EveryInstanceHasAnIdOfItsOwn) {
    std::set<std::string> ids;
    for (int i = 0; i < 100; ++i) ids.insert(random_instance_id());
    EXPECT_EQ(ids.size(), 100U);
    EXPECT_EQ(ids.begin()->size(), 32U);
    EXPECT_EQ(ids.begin()->find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(EventHub, WhereMemoryRunsOutSubscribersLearnThatTheyMissAChange) {
    EventHub hub{"id", kKeptBytes};
    Listener listener;
    hub.subscribe(listener);
    hub.publish([](v1::Event&) { throw std::bad_alloc{}; });
    EXPECT_EQ(listener.misses, 1);
    publish(hub);
    EXPECT_EQ(listener.numbers(), std::vector<std::uint64_t>{2});
}

TEST(EventHub, KeepsChangesFromTheFirstSubscriptionOn) {
    EventHub hub{"id", kKeptBytes};
    publish(hub);
    Listener listener;
    hub.subscribe(listener);
    hub.unsubscribe(listener);
    EXPECT_FALSE(hub.keeps_after(0));
    EXPECT_TRUE(hub.keeps_after(1)) << "nothing is missing";
    EXPECT_FALSE(hub.keeps_after(2)) << "it has not been given yet";
    publish(hub);
    publish(hub);
    for (const std::uint64_t number : {1U, 2U, 3U}) EXPECT_TRUE(hub.keeps_after(number));
    EXPECT_FALSE(hub.keeps_after(0));
    EXPECT_EQ(hub.kept(1), nullptr);
    ASSERT_NE(hub.kept(3), nullptr);
    EXPECT_EQ(hub.kept(4), nullptr);
    hub.subscribe(listener);
    listener.deliver(*hub.kept(2));
    listener.deliver(*hub.kept(3));
    EXPECT_EQ(listener.numbers(), (std::vector<std::uint64_t>{2, 3}));
}

TEST(EventHub, KeepsNothingBeforeAChangeThatCouldNotBeCreated) {
    EventHub hub{"id", kKeptBytes};
    Listener listener;
    hub.subscribe(listener);
    publish(hub);
    hub.publish([](v1::Event&) { throw std::bad_alloc{}; });
    publish(hub);
    EXPECT_FALSE(hub.keeps_after(1));
    EXPECT_TRUE(hub.keeps_after(2));
    EXPECT_EQ(hub.kept(1), nullptr);
}

TEST(KeptChanges, AreLimitedInNumberAndInBytes) {
    const auto change = [](std::size_t bytes) { return Change{SharedFrame{std::string(bytes, 'c')}, {}}; };
    KeptChanges kept{1'000'000};
    kept.restart(5);
    for (std::size_t i = 0; i < KeptChanges::kMaximum + 3; ++i) kept.add(change(10));
    EXPECT_EQ(kept.find(7), nullptr);
    EXPECT_NE(kept.find(8), nullptr);
    EXPECT_NE(kept.find(5 + KeptChanges::kMaximum + 2), nullptr);
    EXPECT_EQ(kept.find(5 + KeptChanges::kMaximum + 3), nullptr);
    kept.add(change(999'985));
    EXPECT_EQ(kept.bytes(), 999'995U);
    EXPECT_NE(kept.find(5 + KeptChanges::kMaximum + 2), nullptr);
    EXPECT_EQ(kept.find(5 + KeptChanges::kMaximum + 1), nullptr);
    kept.add(change(1'000'001));
    EXPECT_EQ(kept.bytes(), 0U);
    EXPECT_EQ(kept.find(5 + KeptChanges::kMaximum + 4), nullptr) << "one that is too large is not kept";
    kept.add(change(1));
    EXPECT_NE(kept.find(5 + KeptChanges::kMaximum + 5), nullptr);
}

}  // namespace
}  // namespace rta::api
