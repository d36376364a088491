// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace rta::app {

/// How far a rendering is, told on the standard error where that is a terminal, and nowhere else.
class ProgressBar {
 public:
    /// `label` stands in front.
    ProgressBar(std::string label, std::uint64_t frames, double sample_rate_hz);
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;
    /// Clears the line.
    ~ProgressBar();

    /// As many frames are done. Draws ten times a second at most.
    void advance_to(std::uint64_t frames);
    /// Puts a line in the place of the bar that says how long it took.
    void finish();

 private:
    using Clock = std::chrono::steady_clock;
    [[nodiscard]] double elapsed_s() const;

    std::string label_;
    double length_s_;
    double sample_rate_hz_;
    bool terminal_;
    Clock::time_point start_ = Clock::now();
    Clock::time_point due_{};
};

/// "tone.wav  [#########                     ]  30 %  90 s of 300 s, 120 times real time": fewer characters than
/// `columns`, so that the cursor stays in the line. Where there is less room the bar shrinks and goes, then the label
/// is cut, and at last the end of the line.
[[nodiscard]] std::string progress_line(const std::string& label, double done_s, double length_s, double elapsed_s,
                                        std::size_t columns);

}  // namespace rta::app
