// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "dsp/audio_view.h"
#include "rt/annotations.h"

namespace rta {

/// The latest samples of a signal. The audio thread overwrites the oldest; another thread copies the latest when it needs
/// them, and discards a copy that has been overwritten in the meantime. Neither waits for the other.
class SampleHistory {
 public:
    /// Frames that are kept: 42 ms at 192 kHz. A multiple of every block size.
    static constexpr std::uint32_t kFrames = 8192;

    /// [control]
    explicit SampleHistory(std::uint32_t channels)
        : channel_count_{channels}, samples_(std::size_t{channels} * kFrames) {}
    SampleHistory(const SampleHistory&) = delete;
    SampleHistory& operator=(const SampleHistory&) = delete;
    ~SampleHistory() = default;

    /// [audio] Adds a block that starts at `frame`; after a gap, only later frames can be copied.
    void add(std::uint64_t frame, const AudioReadView& block) RTA_NONBLOCKING;

    /// [control] Copies the latest samples of a channel. Returns the frame after them; 0 if there are fewer without a gap, or
    /// if the audio thread has overwritten some of them: the caller may try again later.
    [[nodiscard]] std::uint64_t copy_latest(std::uint32_t channel, std::span<float> samples) const;

    [[nodiscard]] std::uint32_t channel_count() const RTA_NONBLOCKING { return channel_count_; }

 private:
    const std::uint32_t channel_count_;
    std::vector<std::atomic<float>> samples_;  ///< kFrames of each channel; frame f is at f % kFrames
    std::atomic<std::uint64_t> begin_{0};      ///< the first frame after the latest gap
    std::atomic<std::uint64_t> end_{0};        ///< after the last frame that has been written
    std::atomic<std::uint64_t> writing_{0};    ///< after the last frame that is being written
};

}  // namespace rta
