// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "rt/annotations.h"

namespace rta {

/// Non-owning, read-only view of planar samples: channels x frames.
class AudioReadView {
 public:
    AudioReadView() = default;
    /// `channels` points to `channel_count` pointers, each to `frame_count` samples.
    AudioReadView(const float* const* channels, std::uint32_t channel_count, std::uint32_t frame_count) RTA_NONBLOCKING
        : channels_{channels},
          channel_count_{channel_count},
          frame_count_{frame_count} {}

    [[nodiscard]] std::uint32_t channel_count() const RTA_NONBLOCKING { return channel_count_; }
    [[nodiscard]] std::uint32_t frame_count() const RTA_NONBLOCKING { return frame_count_; }
    /// Returns the samples of channel `index`, 0 <= index < channel_count().
    [[nodiscard]] std::span<const float> channel(std::uint32_t index) const RTA_NONBLOCKING {
        return {channels_[index], frame_count_};
    }

 private:
    const float* const* channels_ = nullptr;
    std::uint32_t channel_count_ = 0;
    std::uint32_t frame_count_ = 0;
};

/// Non-owning, writable view of planar samples: channels x frames.
class AudioWriteView {
 public:
    AudioWriteView() = default;
    AudioWriteView(float* const* channels, std::uint32_t channel_count, std::uint32_t frame_count) RTA_NONBLOCKING
        : channels_{channels},
          channel_count_{channel_count},
          frame_count_{frame_count} {}

    [[nodiscard]] std::uint32_t channel_count() const RTA_NONBLOCKING { return channel_count_; }
    [[nodiscard]] std::uint32_t frame_count() const RTA_NONBLOCKING { return frame_count_; }
    [[nodiscard]] std::span<float> channel(std::uint32_t index) const RTA_NONBLOCKING {
        return {channels_[index], frame_count_};
    }
    [[nodiscard]] AudioReadView read() const RTA_NONBLOCKING { return {channels_, channel_count_, frame_count_}; }

 private:
    float* const* channels_ = nullptr;
    std::uint32_t channel_count_ = 0;
    std::uint32_t frame_count_ = 0;
};

}  // namespace rta
