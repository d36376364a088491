// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

#include "rt/annotations.h"
#include "rt/cache_line.h"

namespace rta {

/// The pass-key of the audio thread: whoever can show one is, at this moment, the only audio thread of the engine.
///
/// Every audio-only function asks for a `const AudioThreadKey&`. Only AudioThreadGate::Claim makes one, and it can be
/// neither copied nor moved, so it cannot leave the callback that claimed it: C++'s form of Rust's `!Send`.
class AudioThreadKey {
 public:
    AudioThreadKey(const AudioThreadKey&) = delete;
    AudioThreadKey& operator=(const AudioThreadKey&) = delete;

 private:
    friend class AudioThreadGate;
    AudioThreadKey() RTA_NONBLOCKING {}
};

/// Lets one audio thread into the engine at a time, whatever devices do: a device that was given up but still calls, or
/// two devices at once, find the gate shut and write silence.
class AudioThreadGate {
 public:
    /// Number of a device's term as the owner of the audio clock. A later generation revokes all earlier ones.
    using Generation = std::uint32_t;

    /// Holds the gate for its lifetime, if it could be claimed.
    class Claim {
     public:
        Claim(const Claim&) = delete;
        Claim& operator=(const Claim&) = delete;
        ~Claim() RTA_NONBLOCKING {
            // release pairs with the acquire in try_claim(): the next claimer sees all that this one did.
            if (gate_ != nullptr) gate_->claimed_.store(false, std::memory_order_release);
        }

        [[nodiscard]] explicit operator bool() const RTA_NONBLOCKING { return gate_ != nullptr; }

        /// Only if the claim succeeded.
        [[nodiscard]] const AudioThreadKey& key() const RTA_NONBLOCKING { return key_; }

     private:
        friend class AudioThreadGate;
        explicit Claim(AudioThreadGate* gate) RTA_NONBLOCKING : gate_{gate} {}

        AudioThreadGate* gate_;
        AudioThreadKey key_;
    };

    AudioThreadGate() = default;
    AudioThreadGate(const AudioThreadGate&) = delete;
    AudioThreadGate& operator=(const AudioThreadGate&) = delete;

    /// [any] Starts a new generation and revokes every earlier one. A callback that is inside when it is revoked
    /// finishes its blocks; the new generation is refused until it has left.
    Generation start_generation() noexcept {
        // relaxed: the number alone matters; what a claimer may touch is ordered by `claimed_`.
        return generation_.fetch_add(1, std::memory_order_relaxed) + 1;
    }

    /// [audio] Refused when another thread is inside, or when `generation` is not the newest.
    [[nodiscard]] Claim try_claim(Generation generation) RTA_NONBLOCKING {
        bool expected = false;
        // acquire pairs with the release in ~Claim().
        if (!claimed_.compare_exchange_strong(expected, true, std::memory_order_acquire, std::memory_order_relaxed)) {
            return Claim{nullptr};
        }
        if (generation_.load(std::memory_order_relaxed) != generation) {
            claimed_.store(false, std::memory_order_release);
            return Claim{nullptr};
        }
        return Claim{this};
    }

 private:
    alignas(kCacheLine) std::atomic<bool> claimed_{false};
    std::atomic<Generation> generation_{0};
};

}  // namespace rta
