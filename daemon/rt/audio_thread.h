// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

#include "rt/annotations.h"
#include "rt/cache_line.h"

namespace rta {

/// Pass-key of the audio thread. The thread that holds one is the only audio thread of the engine at that time.
///
/// Every audio-only function takes a `const AudioThreadKey&`. Only AudioThreadGate::Claim creates one. It can be
/// neither copied nor moved, so it cannot leave the callback that claimed it (compare `!Send` in Rust).
class AudioThreadKey {
 public:
    AudioThreadKey(const AudioThreadKey&) = delete;
    AudioThreadKey& operator=(const AudioThreadKey&) = delete;

 private:
    friend class AudioThreadGate;
    AudioThreadKey() RTA_NONBLOCKING {}
};

/// Admits one audio thread to the engine at a time. A second device, or an abandoned device that still calls back, is
/// refused and must write silence.
class AudioThreadGate {
 public:
    /// Number of a device's period as the owner of the audio clock. A new generation revokes all earlier ones.
    using Generation = std::uint32_t;

    /// Holds the gate for its lifetime if the claim succeeded. Convertible to true if it did.
    class Claim {
     public:
        Claim(const Claim&) = delete;
        Claim& operator=(const Claim&) = delete;
        ~Claim() RTA_NONBLOCKING {
            // release pairs with the acquire in try_claim(): the next holder sees all writes of this one.
            if (gate_ != nullptr) gate_->claimed_.store(false, std::memory_order_release);
        }

        [[nodiscard]] explicit operator bool() const RTA_NONBLOCKING { return gate_ != nullptr; }

        /// Returns the key. Precondition: the claim succeeded.
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

    /// [any] Starts a new generation, revokes all earlier ones and returns its number. A callback that holds the gate
    /// at that time finishes its blocks; the new generation is refused until then.
    Generation start_generation() noexcept {
        // relaxed: only the number matters; `claimed_` orders access to the engine.
        return generation_.fetch_add(1, std::memory_order_relaxed) + 1;
    }

    /// [audio] Claims the gate. Fails while another thread holds it, or if `generation` is not the newest.
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
