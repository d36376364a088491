// SPDX-License-Identifier: MIT
#include "app/progress_bar.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <utility>

#include "text/display_width.h"
#include "text/format_number.h"

namespace rta::app {
namespace {

constexpr std::chrono::milliseconds kInterval{100};
constexpr const char* kClearLine = "\r\x1b[K";

/// "12.5 s"
std::string seconds_text(double seconds) { return format_number(std::round(seconds * 10.0) / 10.0) + " s"; }

std::size_t columns_of_terminal() {
    winsize window{};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 ? window.ws_col : 80;
}

/// "[####    ] ", or an empty string if the space is too small for a bar.
std::string bar(double share, std::size_t columns) {
    constexpr std::size_t kFrame = 3;
    constexpr std::size_t kNarrowest = 4;
    constexpr std::size_t kWidest = 30;
    if (columns < kNarrowest + kFrame) return "";
    const std::size_t width = std::min(columns - kFrame, kWidest);
    const auto full = static_cast<std::size_t>(share * static_cast<double>(width));
    return "[" + std::string(full, '#') + std::string(width - full, ' ') + "] ";
}

/// ", 85 times real time", or an empty string if no time has elapsed.
std::string speed_text(double done_s, double elapsed_s) {
    const double speed = elapsed_s > 0.0 ? done_s / elapsed_s : 0.0;
    if (speed <= 0.0) return "";
    const double rounded = speed < 10.0 ? std::round(speed * 10.0) / 10.0 : std::round(speed);
    return ", " + format_number(rounded) + " times real time";
}

double share_of(double done_s, double length_s) {
    return length_s > 0.0 ? std::clamp(done_s / length_s, 0.0, 1.0) : 1.0;
}

/// " 30 %  90 s of 300 s", and what the tail adds.
std::string known_length_text(double share, double done_s, double length_s) {
    std::string text = std::to_string(static_cast<int>(share * 100.0)) + " %";
    text.insert(0, 5 - std::min<std::size_t>(5, text.size()), ' ');
    text += "  " + seconds_text(std::min(done_s, length_s)) + " of " + seconds_text(length_s);
    if (done_s > length_s) text += " and a tail of " + seconds_text(done_s - length_s);
    return text;
}

}  // namespace

std::string progress_line(const std::string& label, double done_s, std::optional<double> length_s, double elapsed_s,
                          std::size_t columns) {
    const double share = length_s ? share_of(done_s, *length_s) : 0.0;
    const std::string figures =
        (length_s ? known_length_text(share, done_s, *length_s) : seconds_text(done_s)) + speed_text(done_s, elapsed_s);
    const std::size_t room = columns > 0 ? columns - 1 : 0;
    const std::size_t taken = display_width(label) + 2 + figures.size();
    if (taken <= room) return label + "  " + (length_s ? bar(share, room - taken) : "") + figures;
    const std::size_t left = room > figures.size() ? room - figures.size() : 0;
    // A truncated label needs room for at least a few letters.
    if (left < 6) return figures.substr(0, room);
    return with_ellipsis(label, left - 2) + "  " + figures;
}

ProgressBar::ProgressBar(std::string label, std::optional<std::uint64_t> frames, double sample_rate_hz)
    : label_{std::move(label)}, sample_rate_hz_{sample_rate_hz}, terminal_{::isatty(STDERR_FILENO) == 1} {
    if (frames) length_s_ = static_cast<double>(*frames) / sample_rate_hz;
}

ProgressBar::~ProgressBar() {
    if (terminal_) std::fputs(kClearLine, stderr);
}

double ProgressBar::elapsed_s() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

void ProgressBar::advance_to(std::uint64_t frames) {
    const auto now = Clock::now();
    if (!terminal_ || now < due_) return;
    due_ = now + kInterval;
    const double done_s = static_cast<double>(frames) / sample_rate_hz_;
    const std::string line = progress_line(label_, done_s, length_s_, elapsed_s(), columns_of_terminal());
    std::fprintf(stderr, "\r%s\x1b[K", line.c_str());
}

void ProgressBar::finish(std::uint64_t frames) {
    if (!std::exchange(terminal_, false)) return;
    const double length_s = static_cast<double>(frames) / sample_rate_hz_;
    const double took_s = elapsed_s();
    std::fprintf(stderr, "%s%s: %s rendered in %s%s\n", kClearLine, label_.c_str(), seconds_text(length_s).c_str(),
                 seconds_text(took_s).c_str(), speed_text(length_s, took_s).c_str());
}

}  // namespace rta::app
