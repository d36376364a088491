// SPDX-License-Identifier: MIT
#include "api/events/event_hub.h"

#include <gtest/gtest.h>

#include <set>

#include "frame/frame_codec.h"
#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

class Listener final : public EventHub::Subscriber {
 public:
    void deliver(const SharedFrame& event) override { frames.push_back(event); }
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
    EventHub hub{"id"};
    bool filled = false;
    hub.publish([&](v1::Event&) { filled = true; });
    EXPECT_FALSE(filled) << "nobody listens: nothing is to be built";
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
    EventHub hub{"id"};
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
    EventHub hub{"id"};
    Listener listener;
    hub.subscribe(listener);
    hub.publish([](v1::Event&) { throw std::bad_alloc{}; });
    EXPECT_EQ(listener.misses, 1);
    publish(hub);
    EXPECT_EQ(listener.numbers(), std::vector<std::uint64_t>{2});
}

}  // namespace
}  // namespace rta::api
