// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dsp/kernels.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// A delay of whole frames, in chunks of kKernelFrames: every read and every write is one piece of memory.
class ChunkDelay {
 public:
    /// [control]
    explicit ChunkDelay(std::size_t longest_frames);

    /// The chunk that begins `frames` before now; up to kKernelFrames - 1 of it only if now has been written. [audio]
    [[nodiscard]] const float* read(std::size_t frames) const RTA_NONBLOCKING {
        return samples_.data() + (now_ >= frames ? now_ - frames : now_ + size_ - frames);
    }
    /// Writes the chunk of now. [audio]
    void write(const float* chunk) RTA_NONBLOCKING;
    /// Now is one chunk later. [audio]
    void advance() RTA_NONBLOCKING { now_ = now_ + kKernelFrames == size_ ? 0 : now_ + kKernelFrames; }
    /// What is written is gone after as many frames.
    [[nodiscard]] std::size_t size() const { return size_; }

 private:
    std::size_t size_;            ///< whole chunks
    std::vector<float> samples_;  ///< size_ frames, and the first chunk once more: reads need not wrap
    std::size_t now_ = 0;
};

/// Reverberation, all of it wet.
///
/// A feedback delay network (J.-M. Jot and A. Chaigne, "Digital delay networks for designing artificial reverberators",
/// AES 90th Convention, 1991): sixteen delay lines, of lengths in equal ratios, whose outputs are mixed by a Hadamard
/// matrix, which loses no energy, and fed back. In front of each line is a gain that takes away as many decibels as
/// the decay loses in the line's length, and a one-pole low-pass for what high frequencies lose beyond that; so all
/// resonances die away alike. In front, four all-pass filters in series (M. Schroeder, "Natural sounding artificial
/// reverberation", JAES 10(3), 1962; lengths and gains are those of J. Dattorro, "Effect design, part 1", JAES 45(9),
/// 1997) make many echoes of each. Left and right are two rows of the matrix: orthogonal, hence uncorrelated.
///
/// The power of a steady noise behind it is that of the noise, but for what the damping takes away (2 dB of white noise
/// at 20 kHz, most of it where the decay is short and the lines are long), however long the decay. The gain that makes
/// it so is applied to what goes into the lines, and so are those of the decay: what the lines hold is as loud as what
/// is heard of it, and keeps its level when any control moves. Once its tail is below -300 dB it is silent, and costs
/// nothing. Everything happens in chunks of kKernelFrames, of which every delay is at least as long.
class Reverb {
 public:
    static constexpr std::size_t kLines = 16;
    static constexpr double kLongestPreDelayMs = 250.0;
    static constexpr double kSmallestSize = 0.1;

    struct Controls {
        float decay_s;       ///< until the level is 60 dB down
        float damping_hz;    ///< where that takes half the time
        float size;          ///< of the delay lines, kSmallestSize to 1: 90 ms for the longest
        float pre_delay_ms;  ///< up to kLongestPreDelayMs
    };

    /// `channels` is 1 or 2; the sample rate is at least 8 kHz. [control]
    Reverb(double sample_rate_hz, std::size_t channels);

    /// `channels` chunks of kKernelFrames frames in and out, which are not the same memory. [audio]
    ///
    /// Decay and damping move from where they were to the controls' over the chunk. Size and pre-delay are cross-faded
    /// over 50 ms, one change after the other.
    void process(const Controls& controls, const float* const* in, float* const* out) RTA_NONBLOCKING;

 private:
    static constexpr std::size_t kDiffusers = 4;
    using Chunk = std::array<float, kKernelFrames>;
    /// A chunk of each line, one behind the other.
    using Tile = std::array<float, kLines * kKernelFrames>;
    using Delays = std::array<std::uint32_t, kLines>;

    /// Of all lines: line by line, out = gain * in + pole * out before.
    struct Coefficients {
        std::array<float, kLines> gain{};
        std::array<float, kLines> pole{};
        float in = 0.0F;  ///< what goes into every line is multiplied by
    };

    /// A cross-fade between two sets of delays.
    struct Fade {
        std::uint32_t left = 0;  ///< frames
        float from = 0.0F;       ///< the control's value
        float to = 0.0F;
    };

    struct Input {
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
    std::size_t memory_frames_ = 0;       ///< silence for as long, and nothing is left anywhere
    std::vector<Input> inputs_;           ///< one a channel
    std::vector<ChunkDelay> lines_;       ///< kLines
    std::array<float, kLines> damped_{};  ///< what each line's filter gave last
    bool started_ = false;                ///< there are controls to move away from
    std::size_t quiet_frames_ = 0;        ///< for as long, nothing went in and nothing came round
    Controls controls_{};                 ///< that now_ is for
    Delays from_{};                       ///< while the size fades
    Delays delays_{};
    Fade size_;
    Fade pre_delay_;
    Coefficients now_;
    Coefficients next_;    ///< at the end of the chunk
    bool moving_ = false;  ///< between the two
};

}  // namespace rta::dsp
