// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace rta {

/// The number of the channel of zeros that all plans have.
inline constexpr std::uint32_t kSilence = static_cast<std::uint32_t>(-1);
/// Numbers from this one on are those of signals that are passed from segment to segment; see PlanLayout.
inline constexpr std::uint32_t kFirstPassed = std::uint32_t{1} << 31U;

/// Returns whether a BufferPool has assigned the number.
[[nodiscard]] constexpr bool is_pooled(std::uint32_t buffer) { return buffer < kFirstPassed; }

/// Allocates scratch channels. Several signals may contain the same channel, each of which holds it. The channel released
/// last is reused first, because it is the most likely to be cached. Numbers of other channels are ignored.
class BufferPool {
 public:
    /// Returns a channel that is held once.
    [[nodiscard]] std::uint32_t take() {
        if (free_.empty()) {
            holders_.push_back(1);
            return static_cast<std::uint32_t>(holders_.size() - 1);
        }
        const std::uint32_t buffer = free_.back();
        free_.pop_back();
        holders_[buffer] = 1;
        return buffer;
    }
    void hold(std::uint32_t buffer) {
        if (is_pooled(buffer)) ++holders_[buffer];
    }
    void release(std::span<const std::uint32_t> buffers) {
        for (const std::uint32_t buffer : buffers) {
            if (is_pooled(buffer) && --holders_[buffer] == 0) free_.push_back(buffer);
        }
    }
    /// Returns whether each of the channels is held once, so that its holder may overwrite it.
    [[nodiscard]] bool held_once(std::span<const std::uint32_t> buffers) const {
        return std::ranges::all_of(buffers,
                                   [&](std::uint32_t buffer) { return is_pooled(buffer) && holders_[buffer] == 1; });
    }
    [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(holders_.size()); }

 private:
    std::vector<std::uint32_t> free_;
    std::vector<std::uint32_t> holders_;  ///< how often each channel is held
};

}  // namespace rta
