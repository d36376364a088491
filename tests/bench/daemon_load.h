// SPDX-License-Identifier: MIT
// Shared by the benchmarks that load a running daemon on the null device.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/daemon.h"

namespace rta::bench {

using Clock = std::chrono::steady_clock;

inline double ms_since(Clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

/// Returns the time that a clock of the processor shows, such as CLOCK_THREAD_CPUTIME_ID.
inline double processor_ms(clockid_t clock) {
    std::timespec time{};
    ::clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

inline test::Daemon::Options null_device() { return {.arguments = {"--device", "null", "--log-level", "error"}}; }

/// `[--nodes N] [--seconds S] [only=TEXT] [NAME]...`
struct LoadOptions {
    std::size_t nodes;
    double seconds = 4.0;
    std::string only{};
    std::vector<std::string_view> names{};

    void read(std::span<const std::string_view> arguments) {
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            const auto number = [&](auto& into) {
                const std::string_view text = arguments[++i];
                std::from_chars(text.data(), text.data() + text.size(), into);
            };
            if (arguments[i] == "--nodes" && i + 1 < arguments.size()) {
                number(nodes);
            } else if (arguments[i] == "--seconds" && i + 1 < arguments.size()) {
                number(seconds);
            } else if (arguments[i].starts_with("only=")) {
                only = arguments[i].substr(5);
            } else {
                names.push_back(arguments[i]);
            }
        }
    }
    /// Without names, everything is wanted.
    [[nodiscard]] bool wants(std::string_view name) const {
        return names.empty() || std::ranges::find(names, name) != names.end();
    }
    void sleep() const { std::this_thread::sleep_for(std::chrono::duration<double>{seconds}); }
};

/// Late blocks of a daemon in 5 pairs of a quiet interval and one under load.
struct LateBlocks {
    std::uint64_t quiet = 0;
    std::uint64_t loaded = 0;

    static LateBlocks count(test::ProtocolClient& client, const std::function<void()>& quiet,
                            const std::function<void()>& loaded) {
        LateBlocks sums;
        const auto late_during = [&](const std::function<void()>& run) {
            const std::uint64_t before = client.status().device().late_blocks();
            run();
            return client.status().device().late_blocks() - before;
        };
        for (int pair = 0; pair < 5; ++pair) {
            sums.quiet += late_during(quiet);
            sums.loaded += late_during(loaded);
        }
        return sums;
    }
    [[nodiscard]] double wanted() const { return 1.2 * static_cast<double>(quiet) + 3.0; }
    [[nodiscard]] std::string text() const { return std::to_string(quiet) + ", " + std::to_string(loaded); }
};

}  // namespace rta::bench
