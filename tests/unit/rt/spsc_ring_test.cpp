// SPDX-License-Identifier: MIT
#include "rt/spsc_ring.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace rta::spsc_ring_test {
namespace {

static_assert(!std::is_copy_constructible_v<SpscRing<int>> && !std::is_move_constructible_v<SpscRing<int>>);
static_assert(std::is_nothrow_move_constructible_v<RingSender<int>> && !std::is_copy_constructible_v<RingSender<int>>);
static_assert(std::is_nothrow_move_constructible_v<RingReceiver<int>> &&
              !std::is_copy_constructible_v<RingReceiver<int>>);
static_assert(std::is_nothrow_move_assignable_v<RingSender<int>> && !std::is_copy_assignable_v<RingSender<int>>);
static_assert(std::is_nothrow_move_assignable_v<RingReceiver<int>> && !std::is_copy_assignable_v<RingReceiver<int>>);

/// Without a default constructor, and with a size that is not a power of two: the ring must support both.
struct Item {
    explicit Item(int number) : first{number}, second{-number}, third{2 * number} {}
    std::int32_t first;
    std::int32_t second;
    std::int32_t third;
};

/// Rings must behave the same with any initial index: 0, the default, and just below the wrap-around.
class SpscRingTest : public testing::TestWithParam<std::tuple<std::size_t, std::size_t>> {
 protected:
    static std::size_t capacity() { return std::get<0>(GetParam()); }
    static std::size_t first_index() { return std::get<1>(GetParam()); }
};

TEST_P(SpscRingTest, IsEmptyAtFirst) {
    SpscRing<int> ring{capacity(), first_index()};
    auto sender = ring.sender();
    auto receiver = ring.receiver();
    EXPECT_EQ(ring.capacity(), capacity());
    EXPECT_EQ(sender.free_space(), capacity());
    EXPECT_EQ(receiver.try_pop(), std::nullopt);
}

TEST_P(SpscRingTest, TakesAsManyAsItsCapacityAndRefusesTheNext) {
    SpscRing<int> ring{capacity(), first_index()};
    auto sender = ring.sender();
    auto receiver = ring.receiver();
    const int count = static_cast<int>(capacity());
    for (int lap = 0; lap < 5; ++lap) {
        for (int i = 0; i < count; ++i) {
            EXPECT_EQ(sender.free_space(), capacity() - static_cast<std::size_t>(i));
            ASSERT_TRUE(sender.try_push(lap * count + i));
        }
        EXPECT_EQ(sender.free_space(), 0U);
        EXPECT_FALSE(sender.try_push(-1));
        for (int i = 0; i < count; ++i) ASSERT_EQ(receiver.try_pop(), lap * count + i);
        EXPECT_EQ(receiver.try_pop(), std::nullopt);
    }
}

TEST_P(SpscRingTest, KeepsOrderWhileItNeitherFillsNorEmpties) {
    SpscRing<int> ring{capacity(), first_index()};
    auto sender = ring.sender();
    auto receiver = ring.receiver();
    int sent = 0;
    int received = 0;
    for (std::size_t i = 0; i < (capacity() + 1) / 2; ++i) ASSERT_TRUE(sender.try_push(sent++));
    for (std::size_t i = 0; i < 3 * capacity() + 10; ++i) {
        ASSERT_EQ(receiver.try_pop(), received++);
        ASSERT_TRUE(sender.try_push(sent++));
    }
    while (received < sent) ASSERT_EQ(receiver.try_pop(), received++);
}

TEST_P(SpscRingTest, SendsABatchWholeOrNotAtAll) {
    SpscRing<int> ring{capacity(), first_index()};
    auto sender = ring.sender();
    auto receiver = ring.receiver();
    std::vector<int> full(capacity());
    std::iota(full.begin(), full.end(), 0);
    std::vector<int> too_many(capacity() + 1, -1);

    EXPECT_FALSE(sender.try_push_batch(too_many));
    EXPECT_EQ(receiver.try_pop(), std::nullopt) << "a refused batch must leave no element";
    EXPECT_TRUE(sender.try_push_batch({}));
    EXPECT_EQ(receiver.try_pop(), std::nullopt);

    for (int lap = 0; lap < 3; ++lap) {
        ASSERT_TRUE(sender.try_push_batch(full));
        EXPECT_TRUE(sender.try_push_batch({})) << "an empty batch needs no free slot";
        EXPECT_FALSE(sender.try_push_batch(std::span{full}.first(1)));
        ASSERT_EQ(receiver.try_pop(), 0);  // one free slot, not enough for all
        if (capacity() > 1) {
            EXPECT_FALSE(sender.try_push_batch(full));
        }
        for (std::size_t i = 1; i < capacity(); ++i) ASSERT_EQ(receiver.try_pop(), full[i]);
        EXPECT_EQ(receiver.try_pop(), std::nullopt);
    }
}

TEST_P(SpscRingTest, ReceivesABatchWholeOrNotAtAllAndDiscardsTheOldest) {
    SpscRing<int> ring{capacity(), first_index()};
    auto sender = ring.sender();
    auto receiver = ring.receiver();
    std::vector<int> full(capacity());
    std::vector<int> received(capacity());
    EXPECT_TRUE(receiver.try_pop_batch({}));
    EXPECT_EQ(receiver.discard(1), 0U);
    for (int lap = 0; lap < 3; ++lap) {
        std::iota(full.begin(), full.end(), lap);
        EXPECT_EQ(receiver.available(), 0U);
        EXPECT_FALSE(receiver.try_pop_batch(std::span{received}.first(1)));
        ASSERT_TRUE(sender.try_push_batch(full));
        EXPECT_EQ(receiver.available(), capacity());
        EXPECT_EQ(ring.approximate_size(), capacity());
        ASSERT_TRUE(receiver.try_pop_batch(received));
        EXPECT_EQ(received, full);
        ASSERT_TRUE(sender.try_push_batch(full)) << "all slots are free again";
        EXPECT_EQ(receiver.discard(capacity() / 2), capacity() / 2);
        if (capacity() > 1) {
            EXPECT_FALSE(receiver.try_pop_batch(received)) << "fewer are left";
        }
        EXPECT_EQ(receiver.try_pop(), full[capacity() / 2]) << "a refused batch leaves all elements";
        receiver.discard(capacity());
        EXPECT_EQ(sender.free_space(), capacity());
    }
}

TEST_P(SpscRingTest, CarriesEveryByteOfAnElement) {
    SpscRing<Item> ring{capacity(), first_index()};
    auto sender = ring.sender();
    auto receiver = ring.receiver();
    for (int number = 1; number < 100; ++number) {
        ASSERT_TRUE(sender.try_push(Item{number}));
        const std::optional<Item> item = receiver.try_pop();
        ASSERT_TRUE(item.has_value());
        EXPECT_EQ(item->first, number);
        EXPECT_EQ(item->second, -number);
        EXPECT_EQ(item->third, 2 * number);
    }
}

constexpr std::size_t kLastIndex = std::numeric_limits<std::size_t>::max();
INSTANTIATE_TEST_SUITE_P(CapacityAndFirstIndex, SpscRingTest,
                         testing::Combine(testing::Values<std::size_t>(1, 2, 1024),
                                          testing::Values<std::size_t>(0, 1, kLastIndex - 1, kLastIndex)),
                         [](const auto& test) {
                             const std::size_t first = std::get<1>(test.param);
                             const std::string where =
                                 first < 2 ? std::to_string(first) : "Minus" + std::to_string(kLastIndex - first + 1);
                             return "Capacity" + std::to_string(std::get<0>(test.param)) + "From" + where;
                         });

TEST(SpscRing, AlignsElementsAsTheyAsk) {
    struct alignas(128) Wide {
        std::uint64_t value;
    };
    SpscRing<Wide> ring{4};
    auto sender = ring.sender();
    auto receiver = ring.receiver();
    for (std::uint64_t value = 0; value < 10; ++value) {  // UBSan checks the alignment of each placement new
        ASSERT_TRUE(sender.try_push(Wide{value}));
        ASSERT_EQ(receiver.try_pop()->value, value);
    }
}

TEST(SpscRing, EndsMoveWithAllTheyKnow) {
    SpscRing<int> ring{2};
    auto sender = ring.sender();
    auto receiver = ring.receiver();
    ASSERT_TRUE(sender.try_push(1));
    auto moved_sender = std::move(sender);
    ASSERT_TRUE(moved_sender.try_push(2));
    EXPECT_FALSE(moved_sender.try_push(3));
    ASSERT_EQ(receiver.try_pop(), 1);
    auto moved_receiver = std::move(receiver);
    ASSERT_EQ(moved_receiver.try_pop(), 2);
    EXPECT_EQ(moved_receiver.try_pop(), std::nullopt);
}

TEST(SpscRing, AMovedFromEndIsEmptyAndStopsADebugBuild) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    // RealtimeSanitizer stops the program before the message of the assertion: formatting it allocates.
    constexpr auto kStopped = "moved from|RealtimeSanitizer";
    SpscRing<int> ring{2};
    auto sender = ring.sender();
    auto receiver = ring.receiver();
    ASSERT_TRUE(sender.try_push(1));
    const auto moved_sender = std::move(sender);
    const auto moved_receiver = std::move(receiver);
    // NOLINTBEGIN(bugprone-use-after-move): this is under test.
    EXPECT_DEBUG_DEATH(EXPECT_FALSE(sender.try_push(2)), kStopped);
    EXPECT_DEBUG_DEATH(EXPECT_FALSE(sender.try_push_batch({})), kStopped);
    EXPECT_DEBUG_DEATH(EXPECT_EQ(sender.free_space(), 0U), kStopped);
    EXPECT_DEBUG_DEATH(EXPECT_EQ(receiver.try_pop(), std::nullopt), kStopped);
    // NOLINTEND(bugprone-use-after-move)
}

#ifndef NDEBUG
TEST(SpscRing, MisuseStopsADebugBuild) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    SpscRing<int> ring{2};
    [[maybe_unused]] const auto sender = ring.sender();
    [[maybe_unused]] const auto receiver = ring.receiver();
    EXPECT_DEATH((void)ring.sender(), "one sender");
    EXPECT_DEATH((void)ring.receiver(), "one receiver");
    EXPECT_DEATH(SpscRing<int>{0}, "power of two");
    EXPECT_DEATH(SpscRing<int>{3}, "power of two");
}
#endif

}  // namespace
}  // namespace rta::spsc_ring_test
