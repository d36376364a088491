// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dsp/audio_buffer.h"
#include "plan/buffer_pool.h"

namespace rta {

/// The buffers of signals, of one block each. Successive plans share them, because they share segments that point into
/// them: only one plan is rendered at a time. They grow, and never move. [control]
class PlanBuffers {
 public:
    explicit PlanBuffers(std::uint32_t block_size) : block_size_{block_size}, silence_{1, block_size} {}

    /// Adds buffers until there are this many of each kind.
    void grow(std::uint32_t own, std::uint32_t passed) {
        own_.grow(own, block_size_);
        passed_.grow(passed, block_size_);
    }
    /// `number` is from a BufferPool, or that of a passed signal.
    [[nodiscard]] float* write(std::uint32_t number) {
        return is_pooled(number) ? own_.buffer(number) : passed_.buffer(number - kFirstPassed);
    }
    /// `number` may also be kSilence.
    [[nodiscard]] const float* read(std::uint32_t number) {
        return number == kSilence ? silence_.read().channel(0).data() : write(number);
    }
    [[nodiscard]] std::uint32_t block_size() const { return block_size_; }
    [[nodiscard]] std::size_t count() const { return own_.count() + passed_.count(); }

 private:
    class Pages {
     public:
        /// Buffers that are added together are adjacent.
        void grow(std::uint32_t count, std::uint32_t block_size) {
            if (count <= buffers_.size()) return;
            constexpr std::size_t kFewest = 16;
            const std::size_t added = std::max({count - buffers_.size(), buffers_.size() / 4, kFewest});
            AudioBuffer& page = pages_.emplace_back(static_cast<std::uint32_t>(added), block_size);
            for (std::uint32_t channel = 0; channel < added; ++channel)
                buffers_.push_back(page.write().channel(channel).data());
        }
        [[nodiscard]] float* buffer(std::uint32_t number) const { return buffers_[number]; }
        [[nodiscard]] std::size_t count() const { return buffers_.size(); }

     private:
        std::vector<AudioBuffer> pages_;
        std::vector<float*> buffers_;
    };

    std::uint32_t block_size_;
    AudioBuffer silence_;  ///< zeros, read-only
    Pages own_;            ///< of signals that are read in the segment of their node only
    Pages passed_;         ///< of the others
};

}  // namespace rta
