// SPDX-License-Identifier: MIT
#include "engine/frame_clock.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

namespace rta {

double FrameClock::Line::frame_at(std::int64_t at_ns) const noexcept {
    const double since = (static_cast<double>(at_ns) - time_ns) / frame_ns;
    return std::min(static_cast<double>(frame) + since, static_cast<double>(limit));
}

std::int64_t FrameClock::Line::time_of(double at_frame) const noexcept {
    return std::llround(time_ns + (at_frame - static_cast<double>(frame)) * frame_ns);
}

void FrameClock::begin_callback(const Callback& callback) RTA_NONBLOCKING {
    follow(callback);
    frame_ = callback.frame;
    frames_ = callback.frames;
    generation_ = callback.generation;
    started_ = true;
    publish();
}

/// Moves the line to the callback.
void FrameClock::follow(const Callback& callback) RTA_NONBLOCKING {
    const auto now_ns = static_cast<double>(callback.time_ns);
    const auto passed = static_cast<double>(callback.frame - frame_);
    const double expected_ns = time_ns_ + passed * frame_ns_;
    const double error_ns = now_ns - expected_ns;
    const double longest_ns = std::max(kLongestErrorS * 1e9, 4.0 * frame_ns_ * static_cast<double>(frames_));
    const bool continues = started_ && callback.generation == generation_ && callback.frame > frame_ &&
                           error_ns < longest_ns && error_ns > -longest_ns;
    if (!continues) {
        time_ns_ = now_ns;
        frame_ns_ = nominal_ns_;
        callbacks_ = 1.0;
        return;
    }
    callbacks_ += 1.0;
    // A period longer than that of the loop is followed directly. At the start, the line takes the mean of the callbacks.
    const double omega = std::min(1.0, 2.0 * std::numbers::pi * kBandwidthHz * passed * nominal_ns_ / 1e9);
    time_ns_ = expected_ns + std::min(1.0, std::max(std::numbers::sqrt2 * omega, 1.0 / callbacks_)) * error_ns;
    const double frame_ns = frame_ns_ + omega * omega * error_ns / passed;
    frame_ns_ = std::clamp(frame_ns, 0.98 * nominal_ns_, 1.02 * nominal_ns_);
}

void FrameClock::publish() RTA_NONBLOCKING {
    const std::uint64_t sequence = sequence_.load(std::memory_order_relaxed);  // only this thread writes it
    sequence_.store(sequence + 1, std::memory_order_relaxed);
    const std::array<std::uint64_t, 4> values{std::bit_cast<std::uint64_t>(time_ns_), frame_,
                                              std::bit_cast<std::uint64_t>(frame_ns_), frame_ + frames_};
    // release pairs with the acquire of the values in line(): a reader that sees one of them sees the odd number, too.
    for (std::size_t i = 0; i < values.size(); ++i) published_[i].store(values[i], std::memory_order_release);
    // release pairs with the first acquire in line(): a reader that sees the even number sees the values.
    sequence_.store(sequence + 2, std::memory_order_release);
}

std::optional<FrameClock::Line> FrameClock::line() const noexcept {
    constexpr int kMostAttempts = 1000;
    for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
        const std::uint64_t before = sequence_.load(std::memory_order_acquire);
        if (before == 0) return std::nullopt;
        if (before % 2 != 0) continue;
        std::array<std::uint64_t, 4> values{};
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = published_[i].load(std::memory_order_acquire);
        if (sequence_.load(std::memory_order_relaxed) != before) continue;
        return Line{std::bit_cast<double>(values[0]), values[1], std::bit_cast<double>(values[2]), values[3]};
    }
    return std::nullopt;
}

}  // namespace rta
