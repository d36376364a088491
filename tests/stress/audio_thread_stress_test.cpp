// SPDX-License-Identifier: MIT
// Two devices compete for the engine: at most one holds it at any time, and a revoked device cannot claim it again.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "rt/audio_thread.h"

namespace rta {
namespace {

constexpr int kClaimsEach = 3'000'000;

TEST(AudioThreadGateStress, TwoThreadsAreNeverInsideTogether) {
    AudioThreadGate gate;
    const auto generation = gate.start_generation();
    // Deliberately not atomic: only the gate protects it. ThreadSanitizer reports any overlap; in other builds a lost
    // update changes the sum.
    std::uint64_t blocks = 0;
    std::atomic<int> inside{0};
    std::atomic<bool> overlapped{false};
    const auto device = [&] {
        for (int claims = 0; claims < kClaimsEach;) {
            const auto claim = gate.try_claim(generation);
            if (!claim) {
                std::this_thread::yield();
                continue;
            }
            if (inside.fetch_add(1, std::memory_order_relaxed) != 0) overlapped = true;
            ++blocks;
            inside.fetch_sub(1, std::memory_order_relaxed);
            ++claims;
        }
    };
    std::thread first{device};
    std::thread second{device};
    first.join();
    second.join();
    EXPECT_FALSE(overlapped);
    EXPECT_EQ(blocks, 2U * kClaimsEach);
}

TEST(AudioThreadGateStress, ARevokedDeviceNeverComesBack) {
    constexpr AudioThreadGate::Generation kGenerations = 300'000;
    AudioThreadGate gate;
    gate.start_generation();
    std::vector<AudioThreadGate::Generation> entered;  // protected by the gate
    entered.reserve(kGenerations);

    // Each device remembers the generation that was newest when it last looked. The devices look at different times, so
    // one of them tries to claim the gate with a generation that the other has just revoked.
    std::atomic<AudioThreadGate::Generation> newest{1};
    const auto device = [&] {
        for (;;) {
            const auto generation = newest.load(std::memory_order_relaxed);
            std::this_thread::yield();
            if (const auto claim = gate.try_claim(generation)) {
                if (entered.empty() || entered.back() != generation) entered.push_back(generation);
                if (generation == kGenerations) return;
                newest.store(gate.start_generation(), std::memory_order_relaxed);
            }
        }
    };
    std::thread first{device};
    std::thread second{device};
    first.join();
    second.join();
    ASSERT_EQ(entered.size(), kGenerations);
    for (std::size_t i = 0; i < entered.size(); ++i) ASSERT_EQ(entered[i], i + 1) << "a revoked generation came back";
}

}  // namespace
}  // namespace rta
