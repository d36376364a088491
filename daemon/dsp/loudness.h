// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dsp/audio_view.h"
#include "dsp/filter_kernels.h"
#include "rt/annotations.h"

/// Programme loudness of all channels together in LUFS, as defined by ITU-R BS.1770-4 (annex 1) and EBU R 128. The
/// audio thread weights and squares the signal (LoudnessFilter); the control thread computes the loudness
/// (LoudnessMeter).
namespace rta::dsp {

/// Steps of 10 ms, from which the windows of 400 ms and 3 s are built. With steps of 100 ms, which would suffice for
/// the gate, a sound of 400 ms could read 0.6 LU too low, depending on where it starts.
inline constexpr std::uint32_t kLoudnessStepsPerSecond = 100;

/// Weighted power of one step.
struct LoudnessStep {
    std::uint64_t index;  ///< step n starts n / kLoudnessStepsPerSecond seconds after frame 0, rounded to a frame
    double power;         ///< mean square after K-weighting, summed over the channels by their weights; finite
};

/// Returns the weight of a channel. With 5 channels (L R C Ls Rs) and 6 channels (L R C LFE Ls Rs): 1.41 for the
/// surrounds, 0 for the LFE, 1 for the others. The layout of other channel counts is unknown: all weights are 1. [any]
[[nodiscard]] double loudness_weight(std::uint32_t channel, std::uint32_t channel_count) RTA_NONBLOCKING;

/// K-weighting at one sample rate: two sections, followed by a factor. BS.1770 specifies coefficients for 48 kHz. These
/// are computed from the underlying analogue filters, so that the response is the same at every sample rate.
struct KWeighting {
    /// [any]
    explicit KWeighting(double sample_rate_hz) RTA_NONBLOCKING;

    std::array<BiquadCoefficients, 2> sections;
    /// Gain of the high-pass of the BS.1770 table at high frequencies.
    static constexpr double kGain = 1.004'994'9;
};

/// Divides a signal into loudness steps. NaN and infinity count as 0.
class LoudnessFilter {
 public:
    /// [control]
    LoudnessFilter(std::uint32_t channel_count, double sample_rate_hz, std::uint32_t block_size);

    /// Returns the steps that end in this block, valid until the next call. The block starts at `frame` and must follow
    /// the previous one. The first step is omitted unless it starts with the first block. [audio]
    [[nodiscard]] std::span<const LoudnessStep> process(std::uint64_t frame, const AudioReadView& in) RTA_NONBLOCKING;
    /// Discards all state: the next block need not follow the previous one. [audio]
    void reset() RTA_NONBLOCKING;

 private:
    [[nodiscard]] std::uint64_t begin_of(std::uint64_t step) const RTA_NONBLOCKING;
    void begin(std::uint64_t frame) RTA_NONBLOCKING;
    void weigh(std::uint32_t channel, std::span<const float> in) RTA_NONBLOCKING;

    KWeighting weighting_;
    double frames_per_step_;
    std::vector<double> weights_;                     ///< of each channel
    std::vector<std::array<BiquadState, 2>> states_;  ///< of each channel
    std::vector<float> weighted_;                     ///< one block of one channel
    std::vector<std::uint32_t> ends_;                 ///< ends of the parts of the block, in frames
    std::size_t part_count_ = 0;                      ///< number of parts of this block
    std::vector<double> sums_;                        ///< sum of squares of each part
    std::vector<LoudnessStep> steps_;                 ///< steps that ended in this block

    bool running_ = false;
    bool whole_ = false;      ///< the current step was processed from its first frame
    std::uint64_t step_ = 0;  ///< current
    double sum_ = 0.0;        ///< sum of squares of the current step
};

/// Readings of a loudness meter. std::nullopt: not measured yet.
struct Loudness {
    std::optional<float> momentary_lufs = {};           ///< of the last 400 ms
    std::optional<float> short_term_lufs = {};          ///< of the last 3 s
    std::optional<float> integrated_lufs = {};          ///< since the restart, gated
    std::optional<float> range_lu = {};                 ///< since the restart: EBU Tech 3342
    std::optional<float> maximum_momentary_lufs = {};   ///< since the restart
    std::optional<float> maximum_short_term_lufs = {};  ///< since the restart
    double measured_s = 0.0;                            ///< since the restart, without pauses
};

/// Computes loudness from steps. Memory use is constant: measurements since the restart are kept in histograms with
/// kBinsPerLu bins per LU. The power sums are exact; only the position of the relative gate is rounded, by at most half
/// a bin.
class LoudnessMeter {
 public:
    static constexpr double kFloorLufs = -150.0;
    static constexpr double kAbsoluteGateLufs = -70.0;

    /// Adds a step. After a missing step, momentary and short-term loudness start again. [control]
    void add(const LoudnessStep& step);
    /// Pauses the measurement: clears the outdated momentary and short-term loudness. [control]
    void pause() {
        loudness_.momentary_lufs.reset();
        loudness_.short_term_lufs.reset();
    }
    /// Restarts all measurements since the restart; they start at `step`. [control]
    void restart(std::uint64_t step);
    /// Returns the readings as of the last step. [control]
    [[nodiscard]] const Loudness& loudness() const { return loudness_; }

 private:
    static constexpr std::size_t kMomentarySteps = 40;
    static constexpr std::size_t kShortTermSteps = 300;
    /// Steps between gating blocks, which overlap by 75%.
    static constexpr std::size_t kHopSteps = 10;
    static constexpr std::size_t kBinsPerLu = 10;
    /// 80 LU above the absolute gate. Louder values count in the last bin.
    static constexpr std::size_t kBins = 80 * kBinsPerLu;

    /// Histogram of loudness values above the absolute gate.
    class Histogram {
     public:
        void clear();
        void add(double power);
        [[nodiscard]] bool empty() const { return count_ == 0; }
        /// Returns the mean of the values above the mean of all minus `gate_lu`. Precondition: not empty.
        [[nodiscard]] double gated_mean_lufs(double gate_lu) const;
        /// Returns the range of the same values from the 10th to the 95th percentile. Precondition: not empty.
        [[nodiscard]] double range_lu(double gate_lu) const;

     private:
        [[nodiscard]] std::size_t first_above(double gate_lu) const;

        struct Bin {
            double power = 0.0;  ///< sum
            std::uint64_t count = 0;
        };
        std::vector<Bin> bins_;  ///< empty until the first value
        double power_ = 0.0;     ///< sum
        std::uint64_t count_ = 0;
    };

    void update_windows(const LoudnessStep& step);
    void update_programme(double momentary, double short_term);

    std::vector<double> powers_;    ///< of the last kShortTermSteps steps, by index; empty before the first
    std::uint64_t next_step_ = 0;   ///< next step without a gap
    std::size_t steps_ = 0;         ///< steps without a gap, up to kShortTermSteps
    double momentary_sum_ = 0.0;    ///< of powers
    double short_term_sum_ = 0.0;   ///< of powers
    std::uint64_t first_step_ = 0;  ///< since the restart
    std::uint64_t run_ = 0;         ///< steps since the restart, or since the last gap
    std::uint64_t measured_ = 0;    ///< steps since the restart
    double maximum_momentary_ = 0.0;
    double maximum_short_term_ = 0.0;
    Histogram momentary_;   ///< of gating blocks
    Histogram short_term_;  ///< for the range
    Loudness loudness_;
};

}  // namespace rta::dsp
