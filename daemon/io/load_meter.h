// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "rt/annotations.h"
#include "rt/cache_line.h"
#include "status/status.h"

namespace rta::io {

/// Histogram of loads between 2^-14 and 2^10, with 32 steps per octave: a step is at most 3 % wide.
struct LoadHistogram {
    static constexpr std::size_t kStepsPerOctave = 32;
    static constexpr int kLowestOctave = -14;
    static constexpr int kHighestOctave = 10;
    static constexpr std::size_t kBins = kStepsPerOctave * static_cast<std::size_t>(kHighestOctave - kLowestOctave);

    /// Returns the bin of a load. Loads outside the range count in the first or last bin.
    [[nodiscard]] static std::size_t bin_of(double load) RTA_NONBLOCKING;
    /// Returns the middle of a bin.
    [[nodiscard]] static double load_of(std::size_t bin) noexcept;
};

/// Load counters that the audio thread writes and the control thread reads and resets; neither waits for the other.
/// Each number is valid on its own; a callback that ends during take() may be split between two snapshots.
class LoadMeter {
 public:
    struct Snapshot {
        std::array<std::uint32_t, LoadHistogram::kBins> bins{};
        double sum = 0;
        double worst = 0;
    };

    /// Adds a callback that took `took_ns` of the `available_ns` it had, which must be positive. [audio]
    void add(std::int64_t took_ns, std::int64_t available_ns) RTA_NONBLOCKING;
    /// Moves everything counted since the last call into `into`. [control]
    void take(Snapshot& into) noexcept;

 private:
    // relaxed throughout: numbers for display; nothing else is ordered by them.
    alignas(kCacheLine) std::array<std::atomic<std::uint32_t>, LoadHistogram::kBins> bins_{};
    std::atomic<std::uint64_t> sum_{0};    ///< in 2^-32
    std::atomic<std::uint64_t> worst_{0};  ///< bits of a double, which compare like the number
};

/// Load of the last second, computed from snapshots taken every 100 ms. [control]
class LoadHistory {
 public:
    static constexpr std::size_t kSnapshots = 10;

    void take(LoadMeter& meter) noexcept {
        meter.take((*snapshots_)[next_]);
        next_ = (next_ + 1) % kSnapshots;
    }
    void clear() { snapshots_ = std::make_unique<Snapshots>(); }
    [[nodiscard]] LoadStatus load() const noexcept;

 private:
    using Snapshots = std::array<LoadMeter::Snapshot, kSnapshots>;
    std::unique_ptr<Snapshots> snapshots_ = std::make_unique<Snapshots>();
    std::size_t next_ = 0;
};

}  // namespace rta::io
