// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

#include "dsp/audio_buffer.h"
#include "rt/annotations.h"

namespace rta::io {

/// Linear fade of what a device plays: in after the engine was given to it, out before the engine is taken away, so
/// that neither is heard as a click. At rest at full level it costs nothing.
class OutputFade {
 public:
    /// Duration of a whole fade, in seconds.
    static constexpr double kSeconds = 0.02;

    explicit OutputFade(std::uint32_t sample_rate_hz) noexcept;

    /// Begins in silence and fades in with the next block. [control] before the first callback that has the engine;
    /// [audio] later
    void begin_silent() RTA_NONBLOCKING {
        position_ = 0;
        wanted_.store(true, std::memory_order_relaxed);
        silent_.store(false, std::memory_order_relaxed);
    }
    /// Fades out from the next block on, from the present level. [control]
    void fade_out() noexcept { wanted_.store(false, std::memory_order_relaxed); }
    /// Returns true once fade_out() has reached silence. [control]
    [[nodiscard]] bool silent() const noexcept { return silent_.load(std::memory_order_relaxed); }

    /// Applies the fade to the next block, channels x frames. [audio]
    void apply(const AudioWriteView& block) RTA_NONBLOCKING;

 private:
    const std::uint32_t frames_;  ///< of a whole fade
    std::uint32_t position_;      ///< the gain is position_ / frames_. The callback's once it has begun

    // relaxed: a flag that may be seen a block later, and another one for a decision of the control thread; nothing
    // else is ordered by them.
    std::atomic<bool> wanted_{true};
    std::atomic<bool> silent_{false};
};

}  // namespace rta::io
