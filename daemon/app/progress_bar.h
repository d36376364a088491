// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace rta::app {

/// Progress of a rendering, drawn on stderr if that is a terminal.
class ProgressBar {
 public:
    /// The label is shown before the bar. `frames` is the length without a tail; std::nullopt: unknown.
    ProgressBar(std::string label, std::optional<std::uint64_t> frames, double sample_rate_hz);
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;
    /// Clears the line.
    ~ProgressBar();

    /// Sets the number of frames rendered so far. Draws at most ten times per second.
    void advance_to(std::uint64_t frames);
    /// Replaces the bar by a line with the length of the file, in frames, and the elapsed time.
    void finish(std::uint64_t frames);

 private:
    using Clock = std::chrono::steady_clock;
    [[nodiscard]] double elapsed_s() const;

    std::string label_;
    std::optional<double> length_s_;
    double sample_rate_hz_;
    bool terminal_;
    Clock::time_point start_ = Clock::now();
    Clock::time_point due_{};
};

/// Returns a line such as "tone.wav  [#########                     ]  30 %  90 s of 300 s, 120 times real time". It is
/// shorter than `columns`, so that the cursor stays on the line. If the space is too small, the bar is shortened and
/// then omitted, then the label is truncated, then the rest of the line. What is done beyond the length is shown as the
/// tail. If the length is unknown, the bar and the percentage are omitted.
[[nodiscard]] std::string progress_line(const std::string& label, double done_s, std::optional<double> length_s,
                                        double elapsed_s, std::size_t columns);

}  // namespace rta::app
