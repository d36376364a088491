// SPDX-License-Identifier: MIT
#include "io/load_meter.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace rta::io {
namespace {

constexpr double kSumUnit = 0x1p-32;
// A double has 52 fraction bits; the topmost 5 of them select one of 32 steps.
constexpr int kFractionBits = 52;
constexpr int kStepBits = 5;
constexpr int kExponentBias = 1023;
static_assert(LoadHistogram::kStepsPerOctave == std::size_t{1} << kStepBits);

}  // namespace

std::size_t LoadHistogram::bin_of(double load) RTA_NONBLOCKING {
    constexpr double kLeast = 0x1p-14;
    constexpr double kMost = 0x1.ffp+9;
    // Octave and step are adjacent in the bits of the number.
    const auto steps = std::bit_cast<std::uint64_t>(std::clamp(load, kLeast, kMost)) >> (kFractionBits - kStepBits);
    constexpr auto kFirst = static_cast<std::uint64_t>(kExponentBias + kLowestOctave) << kStepBits;
    return static_cast<std::size_t>(steps - kFirst);
}

double LoadHistogram::load_of(std::size_t bin) noexcept {
    const auto octave = static_cast<int>(bin / kStepsPerOctave) + kLowestOctave;
    const double step = static_cast<double>(bin % kStepsPerOctave) + 0.5;
    return std::ldexp(1.0 + step / static_cast<double>(kStepsPerOctave), octave);
}

void LoadMeter::add(std::int64_t took_ns, std::int64_t available_ns) RTA_NONBLOCKING {
    const double load = static_cast<double>(std::max<std::int64_t>(took_ns, 0)) / static_cast<double>(available_ns);
    bins_[LoadHistogram::bin_of(load)].fetch_add(1, std::memory_order_relaxed);
    // The limit still admits a callback that takes an hour.
    sum_.fetch_add(static_cast<std::uint64_t>(std::min(load, 0x1p+24) / kSumUnit), std::memory_order_relaxed);
    const auto bits = std::bit_cast<std::uint64_t>(load);
    // Only this thread writes values other than 0. If take() resets the value in between, the new value is either not
    // larger than the one taken, or stored afterwards: nothing is lost.
    if (bits > worst_.load(std::memory_order_relaxed)) worst_.store(bits, std::memory_order_relaxed);
}

void LoadMeter::take(Snapshot& into) noexcept {
    for (std::size_t bin = 0; bin < LoadHistogram::kBins; ++bin) {
        // Most bins are 0, and a load is cheaper than an exchange.
        const bool counted = bins_[bin].load(std::memory_order_relaxed) != 0;
        into.bins[bin] = counted ? bins_[bin].exchange(0, std::memory_order_relaxed) : 0;
    }
    into.sum = static_cast<double>(sum_.exchange(0, std::memory_order_relaxed)) * kSumUnit;
    into.worst = std::bit_cast<double>(worst_.exchange(0, std::memory_order_relaxed));
}

LoadStatus LoadHistory::load() const noexcept {
    LoadStatus load;
    double sum = 0;
    std::array<std::uint64_t, LoadHistogram::kBins> bins{};
    for (const LoadMeter::Snapshot& snapshot : *snapshots_) {
        for (std::size_t bin = 0; bin < LoadHistogram::kBins; ++bin) {
            bins[bin] += snapshot.bins[bin];
            load.callback_count += snapshot.bins[bin];
        }
        sum += snapshot.sum;
        load.worst = std::max(load.worst, snapshot.worst);
    }
    if (load.callback_count == 0) return {};
    load.mean = sum / static_cast<double>(load.callback_count);
    const std::uint64_t above = load.callback_count / 100;  // number of callbacks that may have taken more
    std::uint64_t counted = 0;
    for (std::size_t bin = LoadHistogram::kBins; bin-- > 0;) {
        counted += bins[bin];
        if (counted <= above) continue;
        load.p99 = std::min(LoadHistogram::load_of(bin), load.worst);
        break;
    }
    return load;
}

}  // namespace rta::io
