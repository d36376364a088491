// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace rta::io {

/// What a host says about one callback: a flag each, several may be set.
struct HostFlags {
    bool input_underflow = false;   ///< it had no input for us
    bool input_overflow = false;    ///< it threw input away
    bool output_underflow = false;  ///< it had nothing to play
    bool output_overflow = false;   ///< it threw away what we played

    [[nodiscard]] bool any() const noexcept {
        return input_underflow || input_overflow || output_underflow || output_overflow;
    }
};

/// What went wrong, each kind by itself: one callback may count in several.
struct XrunCounts {
    std::uint64_t input_underflows = 0;
    std::uint64_t input_overflows = 0;
    std::uint64_t output_underflows = 0;
    std::uint64_t output_overflows = 0;
    std::uint64_t late_callbacks = 0;  ///< came late, by our own clock; see LatenessClock
    std::uint64_t overruns = 0;        ///< took longer than the sound lasts that they made

    [[nodiscard]] bool operator==(const XrunCounts&) const = default;
    /// What has come since `before`.
    [[nodiscard]] XrunCounts since(const XrunCounts& before) const noexcept {
        return {.input_underflows = input_underflows - before.input_underflows,
                .input_overflows = input_overflows - before.input_overflows,
                .output_underflows = output_underflows - before.output_underflows,
                .output_overflows = output_overflows - before.output_overflows,
                .late_callbacks = late_callbacks - before.late_callbacks,
                .overruns = overruns - before.overruns};
    }
};

}  // namespace rta::io
