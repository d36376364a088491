// SPDX-License-Identifier: MIT
#include "support/loudness.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numbers>
#include <numeric>
#include <utility>

namespace rta::test {

namespace {

struct Section {
    std::array<double, 3> b;
    std::array<double, 2> a;  ///< of the previous two frames
};

// BS.1770-4, annex 1, tables 1 and 2.
constexpr std::array kSections{
    Section{{1.53512485958697, -2.69169618940638, 1.19839281085285}, {-1.69065929318241, 0.73248077421585}},
    Section{{1.0, -2.0, 1.0}, {-1.99004745483398, 0.99007225036621}},
};

double lufs(double power) { return power > 0.0 ? -0.691 + 10.0 * std::log10(power) : -1'000.0; }
double power_of(double lufs) { return std::pow(10.0, (lufs + 0.691) / 10.0); }

double mean_lufs(std::span<const double> loudnesses) {
    double sum = 0.0;
    for (const double loudness : loudnesses) sum += power_of(loudness);
    return lufs(sum / static_cast<double>(loudnesses.size()));
}

std::vector<double> above(const std::vector<double>& loudnesses, double gate_lufs) {
    std::vector<double> kept;
    std::ranges::copy_if(loudnesses, std::back_inserter(kept), [=](double loudness) { return loudness > gate_lufs; });
    return kept;
}

}  // namespace

LoudnessReference::LoudnessReference(std::span<const std::span<const float>> channels)
    : sums_(channels[0].size() + 1, 0.0) {
    for (const std::span<const float> channel : channels) {
        std::vector<double> signal{channel.begin(), channel.end()};
        for (const Section& section : kSections) {
            double x1 = 0.0, x2 = 0.0, y1 = 0.0, y2 = 0.0;
            for (double& sample : signal) {
                const double x = sample;
                sample =
                    section.b[0] * x + section.b[1] * x1 + section.b[2] * x2 - section.a[0] * y1 - section.a[1] * y2;
                x2 = std::exchange(x1, x);
                y2 = std::exchange(y1, sample);
            }
        }
        for (std::size_t n = 0; n < signal.size(); ++n) sums_[n + 1] += signal[n] * signal[n];
    }
    std::partial_sum(sums_.begin(), sums_.end(), sums_.begin());
}

double LoudnessReference::window_lufs(std::size_t end_frame, std::size_t frames) const {
    return lufs((sums_.at(end_frame) - sums_.at(end_frame - frames)) / static_cast<double>(frames));
}

std::vector<double> LoudnessReference::windows_lufs(std::size_t begin_frame, std::size_t end_frame,
                                                    std::size_t frames) const {
    constexpr std::size_t kHopFrames = 4'800;
    std::vector<double> windows;
    for (std::size_t end = begin_frame + frames; end <= end_frame; end += kHopFrames) {
        windows.push_back(window_lufs(end, frames));
    }
    return windows;
}

double LoudnessReference::integrated_lufs(std::size_t begin_frame, std::size_t end_frame, double gate_lu) const {
    const auto loud = above(windows_lufs(begin_frame, end_frame, kMomentaryFrames), -70.0);
    return mean_lufs(above(loud, mean_lufs(loud) - gate_lu));
}

bool LoudnessReference::fits(double integrated, std::size_t begin_frame, std::size_t end_frame) const {
    constexpr double kRoundingsLu = 0.01;
    return integrated > integrated_lufs(begin_frame, end_frame, 10.05) - kRoundingsLu &&
           integrated < integrated_lufs(begin_frame, end_frame, 9.95) + kRoundingsLu;
}

double LoudnessReference::range_lu(std::size_t begin_frame, std::size_t end_frame) const {
    const auto loud = above(windows_lufs(begin_frame, end_frame, kShortTermFrames), -70.0);
    auto kept = above(loud, mean_lufs(loud) - 20.0);
    std::ranges::sort(kept);
    const auto at = [&](double share) {
        return kept.at(static_cast<std::size_t>(std::lround(share * static_cast<double>(kept.size() - 1))));
    };
    return at(0.95) - at(0.10);
}

double k_weighting_db(double frequency_hz) {
    const std::complex<double> z = std::polar(1.0, -2.0 * std::numbers::pi * frequency_hz / 48'000.0);
    double db = 0.0;
    for (const Section& section : kSections) {
        const auto above_line = section.b[0] + z * (section.b[1] + z * section.b[2]);
        const auto below_line = 1.0 + z * (section.a[0] + z * section.a[1]);
        db += 20.0 * std::log10(std::abs(above_line / below_line));
    }
    return db;
}

}  // namespace rta::test
