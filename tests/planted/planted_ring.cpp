// SPDX-License-Identifier: MIT
// Two threads and the ring "rt/spsc_ring.h": either the real one, or a copy with one memory order that is too weak.
// With the copy, ThreadSanitizer must report a race.
#include <cstdint>
#include <cstdlib>
#include <thread>

#include "rt/spsc_ring.h"

namespace {

constexpr std::uint64_t kItems = 200'000;

// Two words, so that a partially written element is detectable.
struct Item {
    std::uint64_t number;
    std::uint64_t copy;
};

}  // namespace

int main() {
    rta::SpscRing<Item> ring{4};  // small, so that slots are reused constantly
    auto sender = ring.sender();
    auto receiver = ring.receiver();
    std::thread producer{[&sender] {
        for (std::uint64_t number = 0; number < kItems; ++number) {
            while (!sender.try_push({number, number})) std::this_thread::yield();
        }
    }};
    bool whole = true;
    for (std::uint64_t number = 0; number < kItems;) {
        const auto item = receiver.try_pop();
        if (!item) {
            std::this_thread::yield();
            continue;
        }
        whole = whole && item->number == number && item->copy == number;
        ++number;
    }
    producer.join();
    return whole ? EXIT_SUCCESS : EXIT_FAILURE;
}
