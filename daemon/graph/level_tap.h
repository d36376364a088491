// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "dsp/audio_view.h"
#include "dsp/gain_range.h"
#include "dsp/loudness.h"
#include "dsp/true_peak.h"
#include "rt/annotations.h"
#include "rt/cache_line.h"
#include "rt/spsc_ring.h"

namespace rta {

/// The level of one channel, or the gain that a node has applied, over some frames.
struct LevelRecord {
    std::uint64_t end_frame;  ///< of the engine's clock, after the last measured frame
    double sum_of_squares;
    float peak;
    float true_peak;                    ///< peak between samples, too; 0 if only levels are measured
    std::uint32_t frame_count;          ///< length of the quantum: the same in the records of all channels
    std::uint32_t channel_frame_count;  ///< frames in which this channel existed: those that were measured
    std::uint16_t channel;              ///< from 0; the records of all channels are adjacent
    std::uint16_t channel_count;        ///< at the end of the quantum; 0: no channels, and this is the only record
    dsp::GainRange gain;                ///< LevelTap::Measures::gain_reduction only
};

/// Measures a signal on the audio thread for the control thread. A ring carries one record for each channel and each
/// quantum of frames. Quanta end where the engine's clock is a multiple of their length, so those of all taps coincide.
///
/// The tap measures only while it is enabled. If the ring is full, the quantum is extended until there is room, so late
/// records are complete. If the number of channels changes within a quantum, for example with the device, the quantum
/// continues: channels that no longer exist at its end have no record, and new channels count from their first frame.
///
/// Instead of levels, a tap may collect the gains that a dynamics processor applies to all its channels.
///
/// On request the tap also measures a programme: true peaks, and the loudness of all channels together, in steps that
/// have their own ring. A step that finds that ring full is lost.
class LevelTap {
 public:
    enum class Measures : std::uint8_t { levels, programme, gain_reduction };

    /// Length of a quantum in frames, 5 ms at 48 kHz; one block if that is longer.
    static constexpr std::uint32_t kMinimumQuantum = 256;

    /// [any] Measures up to `channels` channels, 0 of a gain reduction. The ring has room for a quarter of a second, at
    /// most kMaximumRecords.
    LevelTap(std::uint32_t channels, double sample_rate_hz, std::uint32_t block_size,
             Measures measures = Measures::levels);
    LevelTap(const LevelTap&) = delete;
    LevelTap& operator=(const LevelTap&) = delete;
    ~LevelTap() = default;

    /// [control] Starts or stops measurement from one of the next blocks on. Take old records before starting.
    void enable(bool enabled) noexcept;
    /// [control] Returns the next record. The records of one quantum become available together.
    [[nodiscard]] std::optional<LevelRecord> take() { return receiver_.try_pop(); }
    /// [control] Returns the next loudness step.
    [[nodiscard]] std::optional<dsp::LoudnessStep> take_loudness() {
        return programme_ ? programme_->receiver.try_pop() : std::nullopt;
    }
    /// [any]
    [[nodiscard]] std::uint32_t maximum_channels() const noexcept { return maximum_channels_; }
    /// [any]
    [[nodiscard]] Measures measures() const noexcept { return measures_; }

    /// [audio] Returns whether measurement is enabled. Must be called in every block, before add().
    [[nodiscard]] bool wanted() RTA_NONBLOCKING {
        // acquire pairs with the release in enable(): taps that were enabled before this one are seen enabled, too.
        const bool enabled = enabled_.load(std::memory_order_acquire);
        if (!enabled) frame_count_ = 0;
        return enabled;
    }
    /// [audio] Measures a block that starts at `frame`; channels beyond the maximum are ignored.
    void add(std::uint64_t frame, const AudioReadView& block) RTA_NONBLOCKING;
    /// [audio] The same for the gains of a block.
    void add(std::uint64_t frame, std::uint32_t frame_count, const dsp::GainRange& gain) RTA_NONBLOCKING;

 private:
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
        // Audio thread only.
        RingSender<dsp::LoudnessStep> sender;
        dsp::TruePeakMeter true_peak;
        dsp::LoudnessFilter loudness;
        std::uint64_t next_frame = 0;  ///< first frame not measured yet
    };

    void begin_quantum() RTA_NONBLOCKING;
    void end_block(std::uint64_t frame, std::uint32_t frame_count, std::uint32_t channels) RTA_NONBLOCKING;
    void add_programme(Programme& programme, std::uint64_t frame, const AudioReadView& block) RTA_NONBLOCKING;

    const Measures measures_;
    const std::uint32_t maximum_channels_;
    const std::uint32_t quantum_frames_;
    SpscRing<LevelRecord> ring_;
    RingReceiver<LevelRecord> receiver_;

    // Audio thread only.
    RingSender<LevelRecord> sender_;
    std::vector<LevelRecord> records_;  ///< of the current quantum
    std::uint32_t frame_count_ = 0;
    std::unique_ptr<Programme> programme_;  ///< nullptr if only levels are measured

    alignas(kCacheLine) std::atomic<bool> enabled_{false};
};

}  // namespace rta
