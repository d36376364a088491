// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

namespace rta::api {

/// The time that a thread has used, without that of other programs that ran in the meantime.
///
/// Reading the processor clock of a thread is a system call: with two of them for each step, a third of the control
/// thread's time under load. So short intervals, in which others cannot have run for long, are measured with a monotonic
/// clock alone. The others are limited by the processor time used since that was last read. [control]
class ProcessorTime {
 public:
    using nanoseconds = std::chrono::nanoseconds;
    /// Longer intervals are compared with the processor clock.
    static constexpr std::chrono::microseconds kShort{100};
    /// The processor clock is read at least this often.
    static constexpr std::chrono::microseconds kAnchorInterval{500};

    /// `now` is a monotonic clock; `processor` returns the processor time of the calling thread.
    ProcessorTime(std::function<nanoseconds()> now, std::function<nanoseconds()> processor)
        : now_{std::move(now)}, processor_{std::move(processor)} {}

    /// Returns the time used so far. Differences count: the first value is arbitrary.
    [[nodiscard]] nanoseconds used() {
        const nanoseconds now = now_();
        const nanoseconds elapsed = now - std::exchange(last_, now);
        if (elapsed < kShort && now - anchored_ < kAnchorInterval) return used_ += elapsed;
        const nanoseconds processor = processor_();
        used_ += std::min(elapsed, processor - std::exchange(anchor_, processor));
        anchored_ = now;
        return used_;
    }

 private:
    const std::function<nanoseconds()> now_;
    const std::function<nanoseconds()> processor_;
    nanoseconds used_{0};
    nanoseconds last_{0};      ///< the time of the previous call
    nanoseconds anchor_{0};    ///< what the processor clock said when it was read last
    nanoseconds anchored_{0};  ///< when that was
};

}  // namespace rta::api
