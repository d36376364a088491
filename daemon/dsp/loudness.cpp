// SPDX-License-Identifier: MIT
#include "dsp/loudness.h"

#include <algorithm>

#include "dsp/biquad.h"
#include "dsp/kernels.h"
#include "dsp/level.h"
#include "dsp/math.h"

namespace rta::dsp {

namespace {

// The analogue filters that underlie the 48 kHz tables of BS.1770-4 (annex 1, tables 1 and 2), obtained by inverting
// the bilinear transform. The shelf differs from that of the cookbook by 0.002 dB.
constexpr FilterValues kShelf{.frequency_hz = 1'499.5F, .width = 0.707'175F, .gain_db = 3.999'84F};
constexpr FilterValues kHighPass{.frequency_hz = 38.135'47F, .width = 0.500'327F, .gain_db = 0.0F};

/// Maximum power of a sample: sums of larger values could become infinite.
constexpr double kLargestPower = 1e38;

/// Offset of BS.1770: a sine of 997 Hz with peak 1 in one channel has -3.01 LUFS.
constexpr double kOffsetLu = -0.691;

double lufs(double power) {
    if (!(power > 1e-15)) return LoudnessMeter::kFloorLufs;
    return std::max(kOffsetLu + kDbPerOctave / 2.0 * log2(power), LoudnessMeter::kFloorLufs);
}

double sum_of_squares(std::span<const float> samples) RTA_NONBLOCKING {
    const std::size_t whole = samples.size() / kKernelFrames * kKernelFrames;
    auto sum = static_cast<double>(measure_level(samples.first(whole)).sum_of_squares);
    for (const float sample : samples.subspan(whole)) {
        const auto finite = static_cast<double>(finite_or_zero(sample));
        sum += finite * finite;
    }
    return sum;
}

}  // namespace

double loudness_weight(std::uint32_t channel, std::uint32_t channel_count) RTA_NONBLOCKING {
    if (channel_count != 5 && channel_count != 6) return 1.0;
    if (channel < 3) return 1.0;
    return channel_count == 6 && channel == 3 ? 0.0 : 1.41;
}

// ---------------------------------------------------------------------------------------------------------------------
// The audio half

KWeighting::KWeighting(double sample_rate_hz) RTA_NONBLOCKING
    : sections{biquad_coefficients({FilterKind::high_shelf, FilterWidth::q}, kShelf, sample_rate_hz),
               biquad_coefficients({FilterKind::highpass, FilterWidth::q}, kHighPass, sample_rate_hz)} {}

LoudnessFilter::LoudnessFilter(std::uint32_t channel_count, double sample_rate_hz, std::uint32_t block_size)
    : weighting_{sample_rate_hz},
      frames_per_step_{sample_rate_hz / kLoudnessStepsPerSecond},
      states_(channel_count),
      weighted_(block_size) {
    for (std::uint32_t channel = 0; channel < channel_count; ++channel) {
        weights_.push_back(loudness_weight(channel, channel_count) * KWeighting::kGain * KWeighting::kGain);
    }
    const std::size_t most_parts = static_cast<std::size_t>(block_size / frames_per_step_) + 2;
    ends_.resize(most_parts);
    sums_.resize(most_parts);
    steps_.resize(most_parts);
}

std::uint64_t LoudnessFilter::begin_of(std::uint64_t step) const RTA_NONBLOCKING {
    return static_cast<std::uint64_t>(static_cast<double>(step) * frames_per_step_ + 0.5);
}

void LoudnessFilter::begin(std::uint64_t frame) RTA_NONBLOCKING {
    running_ = true;
    step_ = static_cast<std::uint64_t>(static_cast<double>(frame) / frames_per_step_);
    if (begin_of(step_ + 1) <= frame) ++step_;
    whole_ = begin_of(step_) == frame;
    sum_ = 0.0;
}

std::span<const LoudnessStep> LoudnessFilter::process(std::uint64_t frame, const AudioReadView& in) RTA_NONBLOCKING {
    if (!running_) begin(frame);
    const std::uint32_t frames = in.frame_count();
    std::size_t step_count = 0;
    for (std::uint64_t end = begin_of(step_ + 1); end <= frame + frames; end = begin_of(step_ + step_count + 1)) {
        ends_[step_count++] = static_cast<std::uint32_t>(end - frame);
    }
    part_count_ = step_count;
    if (step_count == 0 || ends_[step_count - 1] != frames) ends_[part_count_++] = frames;
    std::ranges::fill(sums_, 0.0);
    const auto channels = std::min(in.channel_count(), static_cast<std::uint32_t>(weights_.size()));
    for (std::uint32_t channel = 0; channel < channels; ++channel) {
        if (weights_[channel] != 0.0) weigh(channel, in.channel(channel));
    }

    std::size_t told = 0;
    for (std::size_t part = 0; part < part_count_; ++part) {
        sum_ += sums_[part];
        if (part == step_count) break;
        const auto length = static_cast<double>(begin_of(step_ + 1) - begin_of(step_));
        if (whole_) steps_[told++] = {step_, std::min(sum_ / length, kLargestPower)};
        whole_ = true;
        sum_ = 0.0;
        ++step_;
    }
    return std::span{steps_}.first(told);
}

/// Adds the weighted squares of one channel to the sum of each part.
void LoudnessFilter::weigh(std::uint32_t channel, std::span<const float> in) RTA_NONBLOCKING {
    kernels().finite_or_zero(in.data(), weighted_.data(), in.size());
    std::array<BiquadState, 2>& states = states_[channel];
    filter_kernels().run(weighting_.sections.data(), states.data(), states.size(), weighted_.data(), weighted_.data(),
                         in.size());
    // Very large samples may lead to non-finite states, which would persist.
    for (BiquadState& state : states) state = {finite_or_zero(state.s1), finite_or_zero(state.s2)};
    std::uint32_t begin = 0;
    for (std::size_t part = 0; part < part_count_; ++part) {
        sums_[part] += weights_[channel] * sum_of_squares(std::span{weighted_}.subspan(begin, ends_[part] - begin));
        begin = ends_[part];
    }
}

void LoudnessFilter::reset() RTA_NONBLOCKING {
    running_ = false;
    std::ranges::fill(states_, std::array<BiquadState, 2>{});
}

// ---------------------------------------------------------------------------------------------------------------------
// The control half

void LoudnessMeter::Histogram::clear() { *this = {}; }

void LoudnessMeter::Histogram::add(double power) {
    const double above = lufs(power) - kAbsoluteGateLufs;
    if (!(above > 0.0)) return;
    if (bins_.empty()) bins_.resize(kBins);
    Bin& bin = bins_[std::min(static_cast<std::size_t>(above * kBinsPerLu), kBins - 1)];
    bin.power += power;
    ++bin.count;
    power_ += power;
    ++count_;
}

/// Returns the bin that contains the relative gate, or the next one if more than half of that bin is below the gate.
std::size_t LoudnessMeter::Histogram::first_above(double gate_lu) const {
    const double gate = lufs(power_ / static_cast<double>(count_)) - gate_lu - kAbsoluteGateLufs;
    const double place = gate * kBinsPerLu + 0.5;
    return place > 0.0 ? std::min(static_cast<std::size_t>(place), kBins - 1) : 0;
}

double LoudnessMeter::Histogram::gated_mean_lufs(double gate_lu) const {
    double power = 0.0;
    std::uint64_t count = 0;
    for (std::size_t bin = first_above(gate_lu); bin < kBins; ++bin) {
        power += bins_[bin].power;
        count += bins_[bin].count;
    }
    return lufs(power / static_cast<double>(count));
}

double LoudnessMeter::Histogram::range_lu(double gate_lu) const {
    const std::size_t first = first_above(gate_lu);
    std::uint64_t count = 0;
    for (std::size_t bin = first; bin < kBins; ++bin) count += bins_[bin].count;
    const auto place_of = [&](double share) {
        const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count - 1) + 0.5);
        std::uint64_t seen = 0;
        std::size_t bin = first;
        while ((seen += bins_[bin].count) <= wanted) ++bin;
        return static_cast<double>(bin) / kBinsPerLu;
    };
    return place_of(0.95) - place_of(0.10);
}

void LoudnessMeter::add(const LoudnessStep& step) {
    update_windows(step);
    const double momentary = momentary_sum_ / kMomentarySteps;
    const double short_term = short_term_sum_ / kShortTermSteps;
    loudness_.momentary_lufs.reset();
    loudness_.short_term_lufs.reset();
    if (steps_ >= kMomentarySteps) loudness_.momentary_lufs = static_cast<float>(lufs(momentary));
    if (steps_ >= kShortTermSteps) loudness_.short_term_lufs = static_cast<float>(lufs(short_term));
    if (step.index >= first_step_) update_programme(momentary, short_term);
}

void LoudnessMeter::update_windows(const LoudnessStep& step) {
    if (step.index != next_step_ || powers_.empty()) {
        powers_.assign(kShortTermSteps, 0.0);
        momentary_sum_ = 0.0;
        short_term_sum_ = 0.0;
        steps_ = 0;
        run_ = 0;
    }
    next_step_ = step.index + 1;
    steps_ = std::min(steps_ + 1, kShortTermSteps);
    const std::size_t place = step.index % kShortTermSteps;
    const std::size_t leaving = (place + kShortTermSteps - kMomentarySteps) % kShortTermSteps;
    momentary_sum_ += step.power - powers_[leaving];
    short_term_sum_ += step.power - powers_[place];
    powers_[place] = step.power;
    if (place != kShortTermSteps - 1) return;
    // Recompute once per round, so that rounding errors do not accumulate and silence becomes exactly 0.
    momentary_sum_ = 0.0;
    short_term_sum_ = 0.0;
    for (std::size_t i = 0; i < kShortTermSteps; ++i) {
        short_term_sum_ += powers_[i];
        if (i >= kShortTermSteps - kMomentarySteps) momentary_sum_ += powers_[i];
    }
}

void LoudnessMeter::update_programme(double momentary, double short_term) {
    ++run_;
    loudness_.measured_s = static_cast<double>(++measured_) / kLoudnessStepsPerSecond;
    if (run_ < kMomentarySteps) return;
    maximum_momentary_ = std::max(maximum_momentary_, momentary);
    loudness_.maximum_momentary_lufs = static_cast<float>(lufs(maximum_momentary_));
    const bool hop = run_ % kHopSteps == 0;
    if (hop) momentary_.add(momentary);
    constexpr double kIntegratedGateLu = 10.0;
    if (hop && !momentary_.empty()) {
        loudness_.integrated_lufs = static_cast<float>(momentary_.gated_mean_lufs(kIntegratedGateLu));
    }
    if (run_ < kShortTermSteps) return;
    maximum_short_term_ = std::max(maximum_short_term_, short_term);
    loudness_.maximum_short_term_lufs = static_cast<float>(lufs(maximum_short_term_));
    if (hop) short_term_.add(short_term);
    constexpr double kRangeGateLu = 20.0;
    if (hop && !short_term_.empty()) loudness_.range_lu = static_cast<float>(short_term_.range_lu(kRangeGateLu));
}

void LoudnessMeter::restart(std::uint64_t step) {
    first_step_ = step;
    run_ = 0;
    measured_ = 0;
    maximum_momentary_ = 0.0;
    maximum_short_term_ = 0.0;
    momentary_.clear();
    short_term_.clear();
    loudness_ = {.momentary_lufs = loudness_.momentary_lufs, .short_term_lufs = loudness_.short_term_lufs};
}

}  // namespace rta::dsp
