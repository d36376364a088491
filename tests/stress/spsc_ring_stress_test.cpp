// SPDX-License-Identifier: MIT
// One thread sends and one receives at full speed. ThreadSanitizer checks the memory orders; every build checks content
// and order of the items.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <span>
#include <thread>

#include "rt/spsc_ring.h"

namespace rta {
namespace {

/// Number of items sent through each ring; the environment variable RTA_STRESS_ITEMS increases it.
std::uint64_t item_count() {
    static const std::uint64_t count = [] {
        const char* wanted = std::getenv("RTA_STRESS_ITEMS");
        return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 10'000'000ULL;
    }();
    return count;
}

/// Two related words, which reveal a slot that is read while it is written, or memory that was never written.
struct Item {
    std::uint64_t number;
    std::uint64_t proof;

    static constexpr Item of(std::uint64_t number) { return {number, proof_of(number)}; }
    [[nodiscard]] constexpr bool whole() const { return proof == proof_of(number); }

 private:
    static constexpr std::uint64_t proof_of(std::uint64_t number) { return ~number * 0x9E37'79B9'7F4A'7C15ULL; }
};

/// Decides when to yield the core. If the other thread is running, it responds within a few dozen attempts. If not,
/// more attempts only take CPU time from it.
class Patience {
 public:
    void failed() {
        if (++failures_ % 64 == 0) std::this_thread::yield();
    }

 private:
    std::uint32_t failures_ = 0;
};

/// For each size from 1 to the capacity (at most 37), repeatedly: sends that number of single items, then one batch of
/// that size.
void send_all(RingSender<Item>& sender, std::size_t capacity) {
    Patience patience;
    std::array<Item, 37> batch;
    const std::size_t largest = std::min(capacity, batch.size());
    std::size_t size = 1;
    bool whole_batch = false;
    for (std::uint64_t number = 0; number < item_count();) {
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(size, item_count() - number));
        for (std::size_t i = 0; i < count; ++i) batch[i] = Item::of(number + i);
        const std::span<const Item> items = std::span{batch}.first(count);
        if (whole_batch) {
            while (!sender.try_push_batch(items)) patience.failed();
            size = size % largest + 1;
        } else {
            for (const Item& item : items) {
                while (!sender.try_push(item)) patience.failed();
            }
        }
        whole_batch = !whole_batch;
        number += count;
    }
}

class SpscRingStressTest : public testing::TestWithParam<std::size_t> {};

TEST_P(SpscRingStressTest, EveryItemArrivesOnceWholeAndInOrder) {
    const std::size_t capacity = GetParam();
    // The indexes start just below the wrap-around, so that they wrap during the run.
    SpscRing<Item> ring{capacity, std::numeric_limits<std::size_t>::max() - item_count() / 2};
    auto receiver = ring.receiver();
    std::thread sending{[&, sender = ring.sender()]() mutable { send_all(sender, capacity); }};

    Patience patience;
    std::uint64_t wrong = 0;
    for (std::uint64_t number = 0; number < item_count(); ++number) {
        std::optional<Item> item = receiver.try_pop();
        while (!item) {
            patience.failed();
            item = receiver.try_pop();
        }
        if (item->number != number || !item->whole()) ++wrong;
    }
    sending.join();
    EXPECT_EQ(wrong, 0U) << "items lost, repeated, out of order or torn";
    EXPECT_FALSE(receiver.try_pop().has_value()) << "more items received than sent";
}

INSTANTIATE_TEST_SUITE_P(Capacity, SpscRingStressTest, testing::Values<std::size_t>(1, 2, 1024),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace rta
