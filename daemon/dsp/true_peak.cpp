// SPDX-License-Identifier: MIT
#include "dsp/true_peak.h"

#include <algorithm>

#include "dsp/kernels.h"
#include "dsp/math.h"

namespace rta::dsp {

namespace {

/// Returns the magnitude at b, or at the vertex of the parabola through a, b and c if it is near b: b + t^2 / (8 d).
float peak_of(float a, float b, float c) RTA_NONBLOCKING {
    constexpr float kSome = 1e-30F;
    const float t = a - c;
    const float d = magnitude(2.0F * b - a - c) + kSome;
    // Divide unconditionally: a conditional division prevents vectorisation.
    const float more = t * t / (8.0F * d);
    return magnitude(b) + (magnitude(t) <= d ? more : 0.0F);
}

/// Returns the unnormalised Kaiser window at -1 <= u <= 1: the series of the modified Bessel function of order 0.
double kaiser(double beta, double u) {
    const double quarter_square = beta * beta * (1.0 - u * u) / 4.0;
    double sum = 0.0;
    double term = 1.0;
    for (int m = 1; m < 60; ++m) {
        sum += term;
        term *= quarter_square / (m * m);
    }
    return sum;
}

/// Returns the position of factor k of `count`: -1 to 1, symmetric.
double place(std::size_t k, std::size_t count) {
    return (2.0 * static_cast<double>(k) + 1.0) / static_cast<double>(count) - 1.0;
}

/// Returns a sinc at `fraction` of a frame after the middle sample; see DelayTap.
template <std::size_t kCount>
std::array<float, kCount> interpolator(double fraction) {
    std::array<double, kCount> factors{};
    double sum = 0.0;
    for (std::size_t k = 0; k < kCount; ++k) {
        const double distance = static_cast<double>(k + 1) - static_cast<double>(kCount) / 2.0 - fraction;
        factors[k] = (k % 2 == 0 ? 1.0 : -1.0) * kaiser(9.0, place(k, kCount)) / distance;
        sum += factors[k];
    }
    std::array<float, kCount> rounded{};
    for (std::size_t k = 0; k < kCount; ++k) rounded[k] = static_cast<float>(factors[k] / sum);
    return rounded;
}

/// Returns a high-pass with a gain of 1 at half the sample rate and 1/2 at 0.467 of the sample rate: a low-pass with
/// alternating signs.
template <std::size_t kCount>
std::array<float, kCount> high_pass() {
    constexpr double kEdgeWidth = 0.5 - 0.467;
    std::array<double, kCount> factors{};
    double sum = 0.0;
    for (std::size_t k = 0; k < kCount; ++k) {
        const double t = static_cast<double>(k) - (static_cast<double>(kCount) - 1.0) / 2.0;
        const auto phase = static_cast<std::uint32_t>(static_cast<std::int64_t>(t * kEdgeWidth * 0x1p32));
        factors[k] = kaiser(4.0, place(k, kCount)) * static_cast<double>(sine_of_phase(phase)) / t;
        sum += factors[k];
    }
    std::array<float, kCount> rounded{};
    for (std::size_t k = 0; k < kCount; ++k) {
        rounded[k] = static_cast<float>((k % 2 == 0 ? 1.0 : -1.0) * factors[k] / sum);
    }
    return rounded;
}

/// Raises each of `peaks` to the highest magnitude from a quarter of a frame before its frame to the next frame. `line`
/// holds kTaps previous frames, then the block; `between` has room for one block of each quarter.
template <std::size_t kTaps>
void raise_to_peaks(std::span<const float> line, const std::array<std::array<float, kTaps>, 3>& quarters,
                    std::array<std::vector<float>, 3>& between, std::span<float> peaks) RTA_NONBLOCKING {
    // The factors for frame n apply from line[n + 1] on; its own sample is in the middle.
    for (std::size_t quarter = 0; quarter < 3; ++quarter) {
        kernels().fir(line.data() + 1, quarters[quarter].data(), kTaps, between[quarter].data(), peaks.size());
    }
    // Only the last quarter of the previous frame.
    float before = 0.0F;
    for (std::size_t k = 0; k < kTaps; ++k) before += line[k] * quarters[2][k];

    const float* const middle = line.data() + kTaps / 2;
    const float* const first = between[0].data();
    const float* const second = between[1].data();
    const float* const third = between[2].data();
    peaks[0] = std::max(peaks[0], peak_of(before, middle[0], first[0]));
    for (std::size_t n = 1; n < peaks.size(); ++n) {
        peaks[n] = std::max(peaks[n], peak_of(third[n - 1], middle[n], first[n]));
    }
    for (std::size_t n = 0; n < peaks.size(); ++n) {
        const float early = std::max(peak_of(middle[n], first[n], second[n]), peak_of(first[n], second[n], third[n]));
        peaks[n] = std::max(std::max(peaks[n], early), peak_of(second[n], third[n], middle[n + 1]));
    }
}

/// A parabola adds at most 1/8 of the difference of its ends.
constexpr float kParabolaGain = 1.25F;

float gain_of(std::span<const float> factors) {
    float sum = 0.0F;
    for (const float factor : factors) sum += magnitude(factor);
    return sum;
}

}  // namespace

TruePeak::TruePeak(std::uint32_t channel_count, std::uint32_t block_size)
    : block_size_{block_size},
      quarters_{interpolator<kTaps>(0.25), interpolator<kTaps>(0.5), interpolator<kTaps>(0.75)},
      edge_{high_pass<kEdgeTaps>()},
      lines_{channel_count, kTaps + block_size},
      chunk_levels_((kTaps + block_size) / kChunk),
      loud_chunks_(block_size / kChunk),
      edges_(block_size) {
    for (std::vector<float>& quarter : between_) quarter.resize(block_size + kKernelFrames);
    largest_gain_ = kParabolaGain * gain_of(quarters_[1]) + kEdgeWeight * gain_of(edge_);
}

void TruePeak::process(const AudioReadView& in, std::span<const float> floors, std::span<float> peaks) RTA_NONBLOCKING {
    for (std::uint32_t channel = 0; channel < in.channel_count(); ++channel) {
        const std::span<float> line = lines_.write().channel(channel);
        std::copy_n(line.data() + block_size_, kTaps, line.data());
        const std::span<const float> samples = in.channel(channel);
        for (std::size_t n = 0; n < samples.size(); ++n) {
            line[kTaps + n] = std::min(kLoudest, std::max(-kLoudest, samples[n]));
        }
    }
    std::ranges::fill(peaks, 0.0F);
    if (!find_loud(floors)) return edge_reach_.reset();

    std::ranges::fill(edges_, 0.0F);
    for (std::uint32_t channel = 0; channel < in.channel_count(); ++channel) {
        interpolate(lines_.read().channel(channel), peaks);
    }
    silence_quiet_chunks(edges_);
    edge_reach_.process(edges_);
    for (std::size_t n = 0; n < peaks.size(); ++n) peaks[n] += kEdgeWeight * edges_[n];
    silence_quiet_chunks(peaks);
}

/// Marks the chunks in which a peak could reach its floor. Returns true if there are any.
bool TruePeak::find_loud(std::span<const float> floors) RTA_NONBLOCKING {
    std::ranges::fill(chunk_levels_, 0.0F);
    for (std::uint32_t channel = 0; channel < lines_.channel_count(); ++channel) {
        const std::span<const float> line = lines_.read().channel(channel);
        for (std::size_t chunk = 0; chunk < chunk_levels_.size(); ++chunk) {
            float level = chunk_levels_[chunk];
            for (std::size_t i = 0; i < kChunk; ++i) level = std::max(level, magnitude(line[chunk * kChunk + i]));
            chunk_levels_[chunk] = level;
        }
    }
    bool any = false;
    for (std::size_t chunk = 0; chunk < loud_chunks_.size(); ++chunk) {
        float level = 0.0F;
        for (std::size_t i = 0; i <= kTaps / kChunk; ++i) level = std::max(level, chunk_levels_[chunk + i]);
        const float floor = *std::ranges::min_element(floors.subspan(chunk * kChunk, kChunk));
        loud_chunks_[chunk] = level * largest_gain_ >= floor ? 1 : 0;
        any = any || loud_chunks_[chunk] != 0;
    }
    return any;
}

void TruePeak::silence_quiet_chunks(std::span<float> values) const RTA_NONBLOCKING {
    for (std::size_t chunk = 0; chunk < loud_chunks_.size(); ++chunk) {
        if (loud_chunks_[chunk] == 0) std::ranges::fill(values.subspan(chunk * kChunk, kChunk), 0.0F);
    }
}

/// Raises `peaks` and the levels near half the sample rate to those of one channel.
void TruePeak::interpolate(std::span<const float> line, std::span<float> peaks) RTA_NONBLOCKING {
    raise_to_peaks<kTaps>(line, quarters_, between_, peaks);

    // Computed kEdgeReach frames ahead of the peaks.
    constexpr std::size_t kEdgeBegin = 1 + kTaps / 2 + kEdgeReach - kEdgeTaps / 2;
    static_assert(kEdgeBegin + kEdgeTaps == kTaps + 1);
    kernels().fir(line.data() + kEdgeBegin, edge_.data(), kEdgeTaps, between_[0].data(), block_size_);
    for (std::size_t n = 0; n < edges_.size(); ++n) edges_[n] = std::max(edges_[n], magnitude(between_[0][n]));
}

TruePeakMeter::TruePeakMeter(std::uint32_t channel_count, std::uint32_t block_size)
    : quarters_{interpolator<kTaps>(0.25), interpolator<kTaps>(0.5), interpolator<kTaps>(0.75)},
      largest_gain_{kParabolaGain * gain_of(quarters_[1])},
      lines_{channel_count, kTaps + block_size},
      peaks_(block_size),
      unheard_frames_(channel_count, kTaps) {
    for (std::vector<float>& quarter : between_) quarter.resize(block_size);
}

void TruePeakMeter::reset() RTA_NONBLOCKING { std::ranges::fill(unheard_frames_, std::size_t{kTaps}); }

float TruePeakMeter::process(std::uint32_t channel, std::span<const float> in, float floor) RTA_NONBLOCKING {
    const std::span<float> line = lines_.write().channel(channel);
    std::copy_n(line.data() + in.size(), kTaps, line.data());
    kernels().finite_or_zero(in.data(), line.data() + kTaps, in.size());
    std::size_t& unheard = unheard_frames_[channel];
    const std::size_t left_out = std::min(unheard, in.size());
    unheard -= left_out;
    if (kernels().level(line.data(), kTaps + in.size()).peak * largest_gain_ < floor) return 0.0F;
    std::ranges::fill(peaks_, 0.0F);
    raise_to_peaks<kTaps>(line, quarters_, between_, peaks_);
    std::fill_n(peaks_.begin(), left_out, 0.0F);
    return kernels().level(peaks_.data(), peaks_.size()).peak;
}

}  // namespace rta::dsp
