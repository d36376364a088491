// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "dsp/audio_view.h"
#include "dsp/loudness.h"
#include "dsp/true_peak.h"
#include "rt/annotations.h"
#include "rt/cache_line.h"
#include "rt/spsc_ring.h"

namespace rta {

/// The level of one channel over some frames.
struct LevelRecord {
    std::uint64_t end_frame;  ///< of the engine's clock, behind the last of them
    double sum_of_squares;
    float peak;
    float true_peak;                    ///< between the samples, too; 0 where only levels are measured
    std::uint32_t frame_count;          ///< of the quantum: the same in the records of all channels
    std::uint32_t channel_frame_count;  ///< of them, those in which there was this channel: what was measured
    std::uint16_t channel;              ///< from 0; the records of all channels follow each other
    std::uint16_t channel_count;        ///< at the end; 0: there are none, and this is the only record of these frames
};

/// Where the audio thread measures a signal for the control thread: a ring of records, one a channel for every quantum
/// of frames. Quanta end where the engine's clock is a multiple of their length, so that those of all taps fall
/// together.
///
/// It measures only while it is enabled. Where nobody takes the records and the ring is full, the quantum goes on until
/// there is room: what is told late is told whole. Where the number of channels changes in a quantum, as another device
/// may change it, the quantum goes on as well: those that are gone at its end are not told, those that came count from
/// there on.
///
/// Where it is asked for, the whole of a programme is measured as well: true peaks, and the loudness of all channels
/// together, in steps that have a ring of their own. A step that finds no room there is missing.
class LevelTap {
 public:
    enum class Measures : std::uint8_t { levels, programme };

    /// [control] For at most `channels` channels, with room for a quarter of a second or kMaximumRecords.
    LevelTap(std::uint32_t channels, double sample_rate_hz, std::uint32_t block_size,
             Measures measures = Measures::levels);
    LevelTap(const LevelTap&) = delete;
    LevelTap& operator=(const LevelTap&) = delete;
    ~LevelTap() = default;

    /// [control] Begins or ends measuring, from one of the next blocks on. Who begins takes what is left over first.
    void enable(bool enabled) noexcept;
    /// [control] The next record. The records of one quantum come all or none.
    [[nodiscard]] std::optional<LevelRecord> take() { return receiver_.try_pop(); }
    /// [control] The next step of the loudness.
    [[nodiscard]] std::optional<dsp::LoudnessStep> take_loudness() {
        return programme_ ? programme_->receiver.try_pop() : std::nullopt;
    }
    /// [any]
    [[nodiscard]] bool measures_programme() const noexcept { return programme_ != nullptr; }
    /// [any]
    [[nodiscard]] std::uint32_t maximum_channels() const noexcept { return maximum_channels_; }

    /// [audio] To be asked in every block before add(): whether anybody wants to know.
    [[nodiscard]] bool wanted() RTA_NONBLOCKING {
        // acquire pairs with the release in enable(): a tap that was enabled before this one is seen enabled, too.
        const bool enabled = enabled_.load(std::memory_order_acquire);
        if (!enabled) frame_count_ = 0;
        return enabled;
    }
    /// [audio] Measures a block that begins at `frame`; channels beyond the maximum are left out.
    void add(std::uint64_t frame, const AudioReadView& block) RTA_NONBLOCKING;
    /// [audio] Forgets the quantum that is under way.
    void reset() RTA_NONBLOCKING;

 private:
    /// Frames: 5 ms at 48 kHz.
    static constexpr std::uint32_t kLeastQuantum = 256;
    static constexpr std::size_t kMaximumRecords = 8192;

    struct Programme {
        Programme(std::uint32_t channels, double sample_rate_hz, std::uint32_t block_size)
            : ring{kLoudnessSteps},
              receiver{ring.receiver()},
              sender{ring.sender()},
              true_peak{channels, block_size},
              loudness{channels, sample_rate_hz, block_size} {}

        /// 2.5 s.
        static constexpr std::size_t kLoudnessSteps = 256;

        SpscRing<dsp::LoudnessStep> ring;
        RingReceiver<dsp::LoudnessStep> receiver;
        // Only the audio thread touches these.
        RingSender<dsp::LoudnessStep> sender;
        dsp::TruePeakMeter true_peak;
        dsp::LoudnessFilter loudness;
        std::uint64_t next_frame = 0;  ///< the one that follows what was measured
    };

    void begin_quantum() RTA_NONBLOCKING;
    void add_programme(Programme& programme, std::uint64_t frame, const AudioReadView& block) RTA_NONBLOCKING;

    const std::uint32_t maximum_channels_;
    const std::uint32_t quantum_frames_;
    SpscRing<LevelRecord> ring_;
    RingReceiver<LevelRecord> receiver_;

    // Only the audio thread touches these.
    RingSender<LevelRecord> sender_;
    std::vector<LevelRecord> records_;  ///< of the quantum under way
    std::uint32_t frame_count_ = 0;
    std::unique_ptr<Programme> programme_;  ///< nullptr: only levels are measured

    alignas(kCacheLine) std::atomic<bool> enabled_{false};
};

}  // namespace rta
