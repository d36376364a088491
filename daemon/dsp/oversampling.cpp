// SPDX-License-Identifier: MIT
#include "dsp/oversampling.h"

#include <algorithm>
#include <array>
#include <utility>

#include "dsp/kernels.h"
#include "dsp/windowed_sinc.h"

namespace rta::dsp {

namespace {

/// Returns `count` taps, an odd number, whose sum is 1. `cutoff` is a fraction of the sample rate of the filter.
std::vector<double> low_pass(std::size_t count, double cutoff, double attenuation_db) {
    const double half_width = static_cast<double>(count - 1) / 2.0;
    const double beta = kaiser_beta(attenuation_db);
    std::vector<double> taps;
    double sum = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
        // The window ends one tap beyond the last one, where it is not 0.
        taps.push_back(windowed_sinc(static_cast<double>(i) - half_width, cutoff, half_width + 1.0, beta));
        sum += taps.back();
    }
    for (double& tap : taps) tap /= sum;
    return taps;
}

/// Returns taps `first`, `first` + 2, ..., multiplied by `factor`.
std::vector<float> every_other(const std::vector<double>& taps, std::size_t first, double factor) {
    std::vector<float> chosen;
    for (std::size_t i = first; i < taps.size(); i += 2) chosen.push_back(static_cast<float>(factor * taps[i]));
    return chosen;
}

/// Returns the polyphase branch of a half-band filter that is not a pure delay. Its sum is 1 / 2 * `factor`, like the
/// middle tap.
std::vector<float> half_band(std::size_t pairs, double attenuation_db, double factor) {
    std::vector<double> taps = low_pass(4 * pairs - 1, 0.25, attenuation_db);
    double sum = 0.0;
    for (std::size_t i = 0; i < taps.size(); i += 2) sum += taps[i];
    return every_other(taps, 0, 0.5 * factor / sum);
}

void separate(const float* in, float* even, float* odd, std::size_t frames) RTA_NONBLOCKING {
    for (std::size_t frame = 0; frame < frames; ++frame) {
        even[frame] = in[2 * frame];
        odd[frame] = in[2 * frame + 1];
    }
}

// Pairs of taps and resulting stopband attenuation of each doubling. The first has the narrowest transition band: 20 to
// 28 kHz at 48 kHz.
constexpr std::size_t kPairs2 = 15;
constexpr std::size_t kPairs4 = 6;
constexpr std::size_t kPairs8 = 4;
constexpr double kAttenuation2Db = 77.0;
constexpr double kAttenuation4Db = 87.0;
constexpr double kAttenuation8Db = 83.0;
/// Taps of the last filter. Its transition band is (80 - 8) / (14.36 * 86) of twice the sample rate wide and ends at a
/// quarter of that rate.
constexpr std::size_t kLastTaps = 87;
constexpr double kLastAttenuationDb = 80.0;
constexpr double kLastCutoff = 0.25 - 0.5 * (kLastAttenuationDb - 8.0) / (14.36 * (kLastTaps - 1));

/// Compensates the response of the mean over two frames, cos(x) with x = pi * frequency / rate: together 1 - x^4,
/// 0.006 dB at 20 kHz with a rate of 8 * 48 kHz.
constexpr std::array kOfMean{-0.125F, 0.625F, 0.625F, -0.125F};
constexpr std::size_t kDelayOfMean = kOfMean.size() / 2;  ///< of both together

/// Total latency of all filters in frames of the highest rate, and the padding to whole frames of the lowest rate.
constexpr std::size_t kDelay = 4 * (2 * kPairs2 - 1) + std::size_t{4} * (2 * kPairs4 - 1) + 2 * (2 * kPairs8 - 1) +
                               kDelayOfMean + 4 * ((kLastTaps - 1) / 2);
constexpr std::size_t kPadding = Oversampler8::kLatencyFrames * Oversampler8::kFactor - kDelay;
static_assert(kPadding < Oversampler8::kFactor);

}  // namespace

FirStream::FirStream(std::vector<float> taps, std::size_t most_frames, std::size_t history)
    : taps_{std::move(taps)},
      history_{std::max(history, taps_.empty() ? 0 : taps_.size() - 1)},
      samples_(history_ + most_frames) {}

void FirStream::run(float* out, std::size_t frames) const RTA_NONBLOCKING {
    kernels().fir(delayed(taps_.size() - 1), taps_.data(), taps_.size(), out, frames);
}

void FirStream::finish(std::size_t frames) RTA_NONBLOCKING {
    std::copy_n(samples_.data() + frames, history_, samples_.data());
}

HalfBandUp::HalfBandUp(std::size_t pairs, double attenuation_db, std::size_t most_frames)
    : pairs_{pairs}, filter_{half_band(pairs, attenuation_db, 2.0), most_frames}, filtered_(most_frames) {}

void HalfBandUp::run(float* out, std::size_t frames) RTA_NONBLOCKING {
    filter_.run(filtered_.data(), frames);
    const float* const filtered = filtered_.data();
    const float* const delayed = filter_.delayed(pairs_ - 1);
    for (std::size_t frame = 0; frame < frames; ++frame) {
        out[2 * frame] = filtered[frame];
        out[2 * frame + 1] = delayed[frame];
    }
    filter_.finish(frames);
}

Decimator::Decimator(const std::vector<double>& taps, std::size_t most_frames)
    : even_{every_other(taps, 0, 1.0), most_frames},
      odd_{every_other(taps, 1, 1.0), most_frames + 1},
      of_odd_(most_frames) {}

void Decimator::run(const float* in, float* out, std::size_t frames) RTA_NONBLOCKING {
    // The last odd frame is later than the last output frame, so it is kept for the next block.
    separate(in, even_.input(), odd_.input() + 1, frames);
    even_.run(out, frames);
    odd_.run(of_odd_.data(), frames);
    for (std::size_t frame = 0; frame < frames; ++frame) out[frame] += of_odd_[frame];
    even_.finish(frames);
    odd_.finish(frames);
    *odd_.input() = odd_.input()[frames];
}

HalfBandDown::HalfBandDown(std::size_t pairs, double attenuation_db, std::size_t most_frames)
    : pairs_{pairs}, even_{half_band(pairs, attenuation_db, 1.0), most_frames}, odd_{{}, most_frames, pairs} {}

void HalfBandDown::run(const float* in, float* out, std::size_t frames) RTA_NONBLOCKING {
    separate(in, even_.input(), odd_.input(), frames);
    even_.run(out, frames);
    const float* const delayed = odd_.delayed(pairs_);
    for (std::size_t frame = 0; frame < frames; ++frame) out[frame] += 0.5F * delayed[frame];
    even_.finish(frames);
    odd_.finish(frames);
}

Oversampler8::Oversampler8(std::size_t block_size)
    : up2_{kPairs2, kAttenuation2Db, block_size},
      up4_{kPairs4, kAttenuation4Db, 2 * block_size},
      up8_{kPairs8, kAttenuation8Db, 4 * block_size},
      mean_{{kOfMean.begin(), kOfMean.end()}, kFactor * block_size},
      down4_{kPairs8, kAttenuation8Db, 4 * block_size},
      down2_{kPairs4, kAttenuation4Db, 2 * block_size},
      down1_{low_pass(kLastTaps, kLastCutoff, kLastAttenuationDb), block_size},
      raised_(1 + kFactor * block_size),
      high_(kPadding + kFactor * block_size),
      middle_(4 * block_size),
      low_(2 * block_size) {}

std::span<const float> Oversampler8::up(std::size_t frames) RTA_NONBLOCKING {
    up2_.run(up4_.input(), frames);
    up4_.run(up8_.input(), 2 * frames);
    raised_[0] = raised_[kFactor * frames];
    up8_.run(raised_.data() + 1, 4 * frames);
    return {raised_.data(), 1 + kFactor * frames};
}

void Oversampler8::down(std::span<float> out) RTA_NONBLOCKING {
    const std::size_t frames = out.size();
    mean_.run(high_.data() + kPadding, kFactor * frames);
    mean_.finish(kFactor * frames);
    down4_.run(high_.data(), middle_.data(), 4 * frames);
    down2_.run(middle_.data(), low_.data(), 2 * frames);
    down1_.run(low_.data(), out.data(), frames);
    std::copy_n(high_.data() + kFactor * frames, kPadding, high_.data());
}

}  // namespace rta::dsp
