// SPDX-License-Identifier: MIT
#include "io/device_watch.h"

#include <algorithm>

#include "text/quoting.h"

namespace rta::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A device is stalled after the longest of: this time, four periods, and the time that it buffers, without a callback.
constexpr milliseconds kStall{35};
constexpr int kStallPeriods = 4;
constexpr seconds kLongestPatience{2};
/// Of a device that has stalled before.
constexpr milliseconds kLongestLearnedPatience{200};
/// A look that comes later than this says nothing about the device: the machine was busy, or suspended.
constexpr milliseconds kLongestLook{20};

constexpr milliseconds kLoadInterval{100};
/// Minimum interval between two log lines about xruns.
constexpr seconds kXrunLogPause{10};

[[nodiscard]] std::string name_in_words(const DeviceDescription& device) {
    return quoted(device.name.empty() ? device.kind : device.name);
}

/// Lists the counts that are not 0.
[[nodiscard]] std::string in_words(const XrunCounts& counts) {
    std::string words;
    const auto add = [&](std::uint64_t count, const char* one, const char* many) {
        if (count == 0) return;
        if (!words.empty()) words += ", ";
        words += std::to_string(count) + " " + (count == 1 ? one : many);
    };
    add(counts.late_callbacks, "late callback", "late callbacks");
    add(counts.overruns, "overrun", "overruns");
    add(counts.input_underflows, "input underflow", "input underflows");
    add(counts.input_overflows, "input overflow", "input overflows");
    add(counts.output_underflows, "output underflow", "output underflows");
    add(counts.output_overflows, "output overflow", "output overflows");
    return words;
}

/// Returns how long the device may make no callback before it is stalled.
[[nodiscard]] DeviceWatch::Clock::duration patience(const RunningDevice& running) {
    const double period_s =
        static_cast<double>(running.adapter->callback_frames()) / running.description().sample_rate_hz;
    const DeviceLatency buffered = running.device->latency();
    const double longest_s = std::max({kStallPeriods * period_s, buffered.input_s, buffered.output_s});
    const std::chrono::duration<double> longest{std::min(longest_s, 2.0)};
    return std::max<DeviceWatch::Clock::duration>(kStall,
                                                  std::chrono::duration_cast<DeviceWatch::Clock::duration>(longest));
}

}  // namespace

void DeviceWatch::begin(const RunningDevice& running, Clock::time_point now) {
    callbacks_ = running.adapter->callbacks();
    looked_ = now;
    stalled_ = patience_ = {};
    latency_frames_ = 0;
    xruns_ = xruns_logged_ = running.adapter->xrun_counts();
    xruns_log_pause_ = {};
    load_taken_ = now;
    LoadMeter::Snapshot ignored;  // of the probe
    running.adapter->load_meter().take(ignored);
    load_.clear();
}

std::optional<DeviceWatch::Clock::duration> DeviceWatch::stall(const RunningDevice& running, Clock::time_point now) {
    const auto passed = std::min<Clock::duration>(now - looked_, kLongestLook);
    looked_ = now;
    if (const std::uint64_t callbacks = running.adapter->callbacks(); callbacks != callbacks_) {
        callbacks_ = callbacks;
        stalled_ = {};
        return std::nullopt;
    }
    stalled_ += passed;
    if (stalled_ < std::max(patience_, patience(running))) return std::nullopt;
    return stalled_;
}

void DeviceWatch::resume(const RunningDevice& running, Clock::time_point now, Clock::duration stalled,
                         const XrunCounts& reported) {
    begin(running, now);
    xruns_ = xruns_logged_ = reported;
    patience_ = std::min<Clock::duration>(2 * stalled, kLongestLearnedPatience);
}

void DeviceWatch::report(const RunningDevice& running, Clock::time_point now) {
    report_warnings(running);
    const XrunCounts counts = running.adapter->xrun_counts();
    notify_xruns(running, counts);
    if (counts != xruns_logged_ && now >= xruns_log_pause_) {
        log_xruns(running, counts);
        xruns_log_pause_ = now + kXrunLogPause;
    }
    if (now - load_taken_ >= kLoadInterval) {
        load_taken_ = now;
        load_.take(running.adapter->load_meter());
    }
}

void DeviceWatch::report_last(const RunningDevice& running) {
    const XrunCounts counts = running.adapter->xrun_counts();
    notify_xruns(running, counts);
    if (counts != xruns_logged_) log_xruns(running, counts);
}

void DeviceWatch::report_warnings(const RunningDevice& running) {
    if (const auto warning = running.device->take_warning()) observer_.device_warning(*warning);
    const std::uint32_t latency_frames = running.adapter->latency_frames();
    if (latency_frames == latency_frames_) return;
    latency_frames_ = latency_frames;
    observer_.device_warning(quoted(running.description().name) + " requests " +
                             std::to_string(running.adapter->callback_frames()) +
                             " frames per callback, which is not a multiple of the block size: this adds " +
                             std::to_string(latency_frames) + " frames of latency");
}

void DeviceWatch::notify_xruns(const RunningDevice& running, const XrunCounts& counts) {
    if (counts == xruns_) return;
    observer_.device_xruns(counts.since(xruns_), running.adapter->xrun_frame());
    xruns_ = counts;
}

void DeviceWatch::log_xruns(const RunningDevice& running, const XrunCounts& counts) {
    observer_.device_warning("dropouts on " + name_in_words(running.description()) + ": " +
                             in_words(counts.since(xruns_logged_)) + "; since it was opened: " + in_words(counts));
    xruns_logged_ = counts;
}

}  // namespace rta::io
