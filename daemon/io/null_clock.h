// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace rta::io {

/// When the null device's blocks are due: arithmetic alone, without a clock of its own. Times are nanoseconds of one
/// monotonic clock. Block n is due at the anchor plus n blocks, computed from n, so that nothing drifts.
///
/// A thread that wakes late runs the blocks it owes at once, up to three; four blocks late it owes nothing any more:
/// the anchor moves to now, and the time between is lost. So the clock never bursts. [any, one thread at a time]
class NullClock {
 public:
    static constexpr std::int64_t kReanchorBlocks = 4;

    /// The first block is due at `now_ns`. Rate 1 or more, block size 1 or more.
    NullClock(std::uint32_t sample_rate_hz, std::uint32_t block_size, std::int64_t now_ns) noexcept
        : sample_rate_hz_{sample_rate_hz}, block_size_{block_size}, anchor_ns_{now_ns} {}

    /// When the next block is due.
    [[nodiscard]] std::int64_t due_ns() const noexcept { return anchor_ns_ + duration_ns(blocks_ * block_size_); }

    /// The block that was due begins at `now_ns`.
    void begin_block(std::int64_t now_ns) noexcept {
        if (now_ns - due_ns() >= kReanchorBlocks * duration_ns(block_size_)) {
            anchor_ns_ = now_ns;
            blocks_ = 0;
        }
        ++blocks_;
    }

 private:
    /// Seconds and the rest apart: the product of frames and nanoseconds alone would overflow within two days.
    [[nodiscard]] std::int64_t duration_ns(std::uint64_t frames) const noexcept {
        constexpr std::uint64_t kSecond = 1'000'000'000;
        return static_cast<std::int64_t>(frames / sample_rate_hz_ * kSecond +
                                         frames % sample_rate_hz_ * kSecond / sample_rate_hz_);
    }

    std::uint64_t sample_rate_hz_;
    std::uint64_t block_size_;
    std::int64_t anchor_ns_;
    std::uint64_t blocks_ = 0;  ///< begun since the anchor
};

}  // namespace rta::io
