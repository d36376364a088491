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

/// Loads between 2^-14 and 2^10, counted in 32 steps an octave: a step is 3 % wide at most.
struct LoadHistogram {
    static constexpr std::size_t kStepsPerOctave = 32;
    static constexpr int kLowestOctave = -14;
    static constexpr int kHighestOctave = 10;
    static constexpr std::size_t kBins = kStepsPerOctave * static_cast<std::size_t>(kHighestOctave - kLowestOctave);

    /// What is beyond counts in the first or last bin.
    [[nodiscard]] static std::size_t bin_of(double load) RTA_NONBLOCKING;
    /// The middle of a bin.
    [[nodiscard]] static double load_of(std::size_t bin) noexcept;
};

/// What the audio thread counts and the control thread takes away, without either waiting for the other. Each number is
/// good by itself; a callback that ends while they are taken may be in one of them only now and in the others next
/// time.
class LoadMeter {
 public:
    struct Snapshot {
        std::array<std::uint32_t, LoadHistogram::kBins> bins{};
        double sum = 0;
        double worst = 0;
    };

    /// [audio] A callback took `took_ns` of `had_ns`, which is more than 0.
    void add(std::int64_t took_ns, std::int64_t had_ns) RTA_NONBLOCKING;
    /// [control] Everything since the last call.
    void take(Snapshot& into) noexcept;

 private:
    // relaxed throughout: numbers for people; nothing else is ordered by them.
    alignas(kCacheLine) std::array<std::atomic<std::uint32_t>, LoadHistogram::kBins> bins_{};
    std::atomic<std::uint64_t> sum_{0};    ///< in 2^-32
    std::atomic<std::uint64_t> worst_{0};  ///< the bits of a double, which sort as the number does
};

/// The load of the last second, out of snapshots of 100 ms. [control]
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
