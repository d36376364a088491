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

/// Loudness as ITU-R BS.1770-4 (annex 1) and EBU R 128 define it: how loud all channels of a programme are together,
/// in LUFS. The audio thread weighs and squares (LoudnessFilter); what is made of that is left to the control thread
/// (LoudnessMeter).
namespace rta::dsp {

/// Steps of 10 ms: windows of 400 ms and 3 s are made of them, so a sound is caught wherever it begins. With steps of
/// 100 ms, which the gate alone would need, a sound of 400 ms may be read 0.6 LU too low.
inline constexpr std::uint32_t kLoudnessStepsPerSecond = 100;

/// What one step of sound holds.
struct LoudnessStep {
    std::uint64_t index;  ///< step n begins n / kLoudnessStepsPerSecond seconds after frame 0, at the nearest frame
    double power;         ///< mean of the squares behind the K-weighting, of all channels by their weights; finite
};

/// The weight of a channel: 1; in sound of 5 channels (L R C Ls Rs) and of 6 (L R C LFE Ls Rs), 1.41 for the surrounds
/// and 0 for the LFE. Sound of any other number of channels has no layout that is known here: all weigh 1. [any]
[[nodiscard]] double loudness_weight(std::uint32_t channel, std::uint32_t channel_count) RTA_NONBLOCKING;

/// K-weighting at one sample rate, as two sections and a factor behind them. BS.1770 gives coefficients for 48 kHz;
/// these are made from the analogue filters behind them, so any rate has the same response.
struct KWeighting {
    /// [any]
    explicit KWeighting(double sample_rate_hz) RTA_NONBLOCKING;

    std::array<BiquadCoefficients, 2> sections;
    /// What the table's high-pass has at high frequencies beyond a gain of 1.
    static constexpr double kGain = 1.004'994'9;
};

/// Cuts sound into steps. NaN and infinity count as 0.
class LoudnessFilter {
 public:
    /// [control]
    LoudnessFilter(std::uint32_t channel_count, double sample_rate_hz, std::uint32_t block_size);

    /// The steps that end in this block, which begins at `frame` and follows the block before; good until the next
    /// call. The step that is under way at the first block is left out, unless it begins there. [audio]
    [[nodiscard]] std::span<const LoudnessStep> process(std::uint64_t frame, const AudioReadView& in) RTA_NONBLOCKING;
    /// What comes next does not follow what came before. [audio]
    void reset() RTA_NONBLOCKING;

 private:
    [[nodiscard]] std::uint64_t begin_of(std::uint64_t step) const RTA_NONBLOCKING;
    void begin(std::uint64_t frame) RTA_NONBLOCKING;
    void weigh(std::uint32_t channel, std::span<const float> in) RTA_NONBLOCKING;

    KWeighting weighting_;
    double frames_per_step_;
    std::vector<double> weights_;                     ///< of each channel
    std::vector<std::array<BiquadState, 2>> states_;  ///< of each channel
    std::vector<float> weighted_;                     ///< a block of one channel
    std::vector<std::uint32_t> ends_;                 ///< of the parts that steps cut the block into, in frames
    std::size_t part_count_ = 0;                      ///< of them that this block has
    std::vector<double> sums_;                        ///< of squares, of each part
    std::vector<LoudnessStep> steps_;                 ///< that ended in this block

    bool running_ = false;
    bool whole_ = false;      ///< the step under way has been heard from its first frame on
    std::uint64_t step_ = 0;  ///< under way
    double sum_ = 0.0;        ///< of squares, of the step under way
};

/// What a loudness meter shows. What is not there has not been measured yet.
struct Loudness {
    std::optional<float> momentary_lufs = {};           ///< of the last 400 ms
    std::optional<float> short_term_lufs = {};          ///< of the last 3 s
    std::optional<float> integrated_lufs = {};          ///< since the restart, gated
    std::optional<float> range_lu = {};                 ///< since the restart: EBU Tech 3342
    std::optional<float> maximum_momentary_lufs = {};   ///< since the restart
    std::optional<float> maximum_short_term_lufs = {};  ///< since the restart
    double measured_s = 0.0;                            ///< since the restart, pauses left out
};

/// Makes loudness of steps. Its memory does not grow with time: what was measured since the restart is kept in
/// histograms of kBinsPerLu bins. The sums of powers in them are exact, so only the place of the relative gate is
/// rounded, by half a bin.
class LoudnessMeter {
 public:
    static constexpr double kFloorLufs = -150.0;
    static constexpr double kAbsoluteGateLufs = -70.0;

    /// Where a step is missing, momentary and short-term loudness begin anew behind it. [control]
    void add(const LoudnessStep& step);
    /// Nothing is measured for a while: momentary and short-term loudness are of before. [control]
    void pause() {
        loudness_.momentary_lufs.reset();
        loudness_.short_term_lufs.reset();
    }
    /// What is told of since the restart counts from `step` on. [control]
    void restart(std::uint64_t step);
    /// As of the last step. [control]
    [[nodiscard]] const Loudness& loudness() const { return loudness_; }

 private:
    static constexpr std::size_t kMomentarySteps = 40;
    static constexpr std::size_t kShortTermSteps = 300;
    /// From one gating block to the next: they overlap by three quarters.
    static constexpr std::size_t kHopSteps = 10;
    static constexpr std::size_t kBinsPerLu = 10;
    /// 80 LU above the absolute gate; what is louder counts in the last bin.
    static constexpr std::size_t kBins = 80 * kBinsPerLu;

    /// Loudnesses above the absolute gate.
    class Histogram {
     public:
        void clear();
        void add(double power);
        [[nodiscard]] bool empty() const { return count_ == 0; }
        /// Of those that are no more than `gate_lu` below the mean of all. Precondition: not empty.
        [[nodiscard]] double gated_mean_lufs(double gate_lu) const;
        /// From the 10th to the 95th of 100 of the same. Precondition: not empty.
        [[nodiscard]] double range_lu(double gate_lu) const;

     private:
        [[nodiscard]] std::size_t first_above(double gate_lu) const;

        struct Bin {
            double power = 0.0;  ///< the sum
            std::uint64_t count = 0;
        };
        std::vector<Bin> bins_;  ///< none until there is something to count
        double power_ = 0.0;     ///< the sum
        std::uint64_t count_ = 0;
    };

    void update_windows(const LoudnessStep& step);
    void update_programme(double momentary, double short_term);

    std::vector<double> powers_;    ///< of the last kShortTermSteps steps, by their index; none before the first
    std::uint64_t next_step_ = 0;   ///< the one that follows without a gap
    std::size_t steps_ = 0;         ///< without a gap, up to kShortTermSteps
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
