// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dsp/kernels.h"
#include "dsp/low_cut.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// Delay of an integer number of frames, processed in chunks of kKernelFrames. Every read and write is contiguous.
class ChunkDelay {
 public:
    /// [control]
    explicit ChunkDelay(std::size_t longest_frames);

    /// Returns the chunk that starts `frames` frames before the current one. If `frames` < kKernelFrames, write the
    /// current chunk first. [audio]
    [[nodiscard]] const float* read(std::size_t frames) const RTA_NONBLOCKING {
        return samples_.data() + (now_ >= frames ? now_ - frames : now_ + size_ - frames);
    }
    /// Writes the current chunk. [audio]
    void write(const float* chunk) RTA_NONBLOCKING;
    /// Advances by one chunk. [audio]
    void advance() RTA_NONBLOCKING { now_ = now_ + kKernelFrames == size_ ? 0 : now_ + kKernelFrames; }
    /// Returns the number of frames after which a written chunk is overwritten.
    [[nodiscard]] std::size_t size() const { return size_; }

 private:
    std::size_t size_;            ///< a multiple of kKernelFrames
    std::vector<float> samples_;  ///< size_ frames, then a copy of the first chunk, so that reads need not wrap
    std::size_t now_ = 0;
};

/// Reverberation. The output contains no direct signal.
///
/// A feedback delay network (J.-M. Jot and A. Chaigne, "Digital delay networks for designing artificial reverberators",
/// AES 90th Convention, 1991): sixteen delay lines with lengths in equal ratios, whose outputs are mixed by a lossless
/// Hadamard matrix and fed back. Before each line, a gain applies the decay for the length of the line, and a one-pole
/// low-pass applies the additional decay of high frequencies, so that all resonances decay at the same rate. The input
/// passes four all-pass filters in series, which multiply the echoes (M. Schroeder, "Natural sounding artificial
/// reverberation", JAES 10(3), 1962; lengths and gains are those of J. Dattorro, "Effect design, part 1", JAES 45(9),
/// 1997). Left and right are two rows of the matrix: orthogonal, and therefore uncorrelated.
///
/// The resonances are strongest at and near 0 Hz: up to 36 dB with the longest decay in the smallest room. A LowCut
/// before the reverb removes what could excite them, so that it amplifies nothing below 20 Hz.
///
/// For steady noise, output power equals input power regardless of the decay time, except for the damping (up to 2 dB
/// for white noise with damping at 20 kHz, with short decays and long lines). The normalising gain and the decay gains
/// are applied to the input of the lines: the level in the lines is the level of the output, and does not change when a
/// control moves. When the tail is below -300 dB, the reverb is silent and takes no CPU time. Processing is in chunks
/// of kKernelFrames; no delay is shorter.
class Reverb {
 public:
    static constexpr std::size_t kLines = 16;
    static constexpr double kLongestPreDelayMs = 250.0;
    static constexpr double kSmallestSize = 0.1;

    struct Controls {
        float decay_s;       ///< time in which the level falls by 60 dB
        float damping_hz;    ///< frequency at which the decay takes half of that time
        float size;          ///< kSmallestSize to 1; at 1 the longest line is 90 ms
        float pre_delay_ms;  ///< up to kLongestPreDelayMs
    };

    /// `channels` is 1 or 2; the sample rate is at least 8 kHz. [control]
    Reverb(double sample_rate_hz, std::size_t channels);

    /// Processes one chunk of kKernelFrames frames of each channel. `in` and `out` must not overlap. [audio]
    ///
    /// Decay and damping move to their new values within the chunk. Changes of size and pre-delay crossfade over 50 ms,
    /// one after the other.
    void process(const Controls& controls, const float* const* in, float* const* out) RTA_NONBLOCKING;

 private:
    static constexpr std::size_t kDiffusers = 4;
    using Chunk = std::array<float, kKernelFrames>;
    /// One chunk of each line, line by line.
    using Tile = std::array<float, kLines * kKernelFrames>;
    using Delays = std::array<std::uint32_t, kLines>;

    /// Coefficients of the decay filters: out = gain * in + pole * previous out, for each line.
    struct Coefficients {
        std::array<float, kLines> gain{};
        std::array<float, kLines> pole{};
        float in = 0.0F;  ///< factor of the input of all lines
    };

    /// Crossfade between two sets of delays.
    struct Fade {
        std::uint32_t left = 0;  ///< remaining frames
        float from = 0.0F;       ///< values of the control
        float to = 0.0F;
    };

    struct Input {
        LowCut low_cut;
        ChunkDelay pre_delay;
        std::vector<ChunkDelay> diffusers;
        std::array<std::uint32_t, kDiffusers> diffuser_delays;
    };

    static float* row_of(Tile& tile, std::size_t line) RTA_NONBLOCKING { return tile.data() + line * kKernelFrames; }
    [[nodiscard]] Delays delays_of(float size) const RTA_NONBLOCKING;
    [[nodiscard]] std::uint32_t pre_delay_of(float ms) const RTA_NONBLOCKING;
    [[nodiscard]] Coefficients coefficients_of(const Controls& controls) const RTA_NONBLOCKING;
    void follow(const Controls& controls) RTA_NONBLOCKING;
    void begin_fade(Fade& fade, float wanted) const RTA_NONBLOCKING;
    void cross_fade(const Fade& fade, const float* from, const float* to, float* out) const RTA_NONBLOCKING;
    void diffuse(Input& input, const float* in, Chunk& out) RTA_NONBLOCKING;
    void read_lines(Tile& tile) RTA_NONBLOCKING;
    void damp(Tile& tile) RTA_NONBLOCKING;
    void listen_for_silence(bool quiet, const Tile& tile, const Chunk* inputs) RTA_NONBLOCKING;

    double sample_rate_hz_;
    std::size_t channels_;
    std::uint32_t fade_frames_;
    std::size_t memory_frames_ = 0;       ///< number of silent frames after which all memory is empty
    std::vector<Input> inputs_;           ///< one per channel
    std::vector<ChunkDelay> lines_;       ///< kLines
    std::array<float, kLines> damped_{};  ///< last output of the filter of each line
    bool started_ = false;                ///< controls_ has been set
    std::size_t quiet_frames_ = 0;        ///< frames without input and feedback
    Controls controls_{};                 ///< for which now_ was computed
    Delays from_{};                       ///< source of the crossfade of the size
    Delays delays_{};
    Fade size_;
    Fade pre_delay_;
    Coefficients now_;
    Coefficients next_;    ///< at the end of the chunk
    bool moving_ = false;  ///< now_ and next_ differ
};

}  // namespace rta::dsp
