// SPDX-License-Identifier: MIT
#include "io/device_supervisor.h"

#include <algorithm>
#include <future>
#include <thread>
#include <utility>

#include "io/audio_thread_setup.h"

namespace rta::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A device plays silence for this time before it drives the engine. Some devices that open cannot be used as a clock:
/// ALSA's `null` and `file` call hundreds of times faster than real time.
constexpr milliseconds kProbeTime{60};
constexpr milliseconds kProbeStep{5};
/// Audio that a device may request in advance to fill its buffers, in seconds.
constexpr double kLargestBufferSeconds = 1.0;
constexpr seconds kFirstCallbackLimit{2};
constexpr seconds kOpenLimit{10};

static_assert(Renderer::kMeteredChannels == kMaximumChannels, "every channel that a device may have is measured");

constexpr milliseconds kWatchInterval{10};
/// Interval for devices that cannot be lost; their files may still have warnings.
constexpr milliseconds kIdleInterval{100};

constexpr milliseconds kLoadInterval{100};
/// Minimum interval between two log lines about xruns.
constexpr seconds kXrunLogPause{10};

/// The driver is asked about the stream after this time, and four periods, without a callback.
constexpr milliseconds kStall{20};
constexpr int kStallPeriods = 4;
constexpr milliseconds kAskInterval{20};
/// A device without callbacks for this time is lost, even if its driver reports that the stream is running.
constexpr seconds kStallLimit{2};

[[nodiscard]] Expected<void> probe(const AudioDevice& device, const BlockAdapter& adapter) {
    const auto start = std::chrono::steady_clock::now();
    const std::string name = '"' + device.description().name + '"';
    while (true) {
        std::this_thread::sleep_for(kProbeStep);
        const auto elapsed = std::chrono::steady_clock::now() - start;
        if (device.finished()) return fail(ErrorCode::unavailable, name + " ended its stream immediately");
        if (adapter.callbacks() == 0) {
            if (elapsed < kFirstCallbackLimit) continue;
            return fail(ErrorCode::unavailable, name + " opened, but requested no audio within " +
                                                    std::to_string(kFirstCallbackLimit.count()) + " s");
        }
        if (elapsed < kProbeTime) continue;
        const double elapsed_s = std::chrono::duration<double>(elapsed).count();
        const double audio_s = static_cast<double>(adapter.frames()) / device.description().sample_rate_hz;
        if (audio_s <= elapsed_s + kLargestBufferSeconds) return {};
        return fail(ErrorCode::unavailable, name + " runs " + std::to_string(static_cast<int>(audio_s / elapsed_s)) +
                                                " times faster than real time, so it cannot be used as a clock");
    }
}

[[nodiscard]] std::string name_in_words(const DeviceDescription& device) {
    return device.name.empty() ? device.kind : device.name;
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

void append_sentence(std::string& text, const std::string& sentence) {
    // A card that is refused with its input is often refused without it for the same reason.
    if (text.find(sentence) != std::string::npos) return;
    if (!text.empty()) text += "; ";
    text += sentence;
}

}  // namespace

DeviceSupervisor::DeviceSupervisor(AudioThreadGate& gate, Renderer& renderer, Observer& observer, Post post,
                                   DeviceKinds kinds, const DriverLog& log)
    : gate_{gate}, renderer_{renderer}, observer_{observer}, post_{std::move(post)}, drivers_{kinds, log} {}

DeviceSupervisor::~DeviceSupervisor() { static_cast<void>(stop(milliseconds::max())); }

void DeviceSupervisor::start(const DeviceRequest& request, Started started) {
    request_ = request;
    const DeviceKind* const kind = request.device.kind;
    if (kind != nullptr && kind->calls == DriverCalls::nonblocking) {
        started(start_directly(*kind, request));
        return;
    }
    started_ = std::move(started);
    opening_since_ = Clock::now();
    library_used_ = true;
    device_thread_.post([this, request] {
        // Shared, because a function object must be copyable.
        const auto opening = std::make_shared<Opening>(open_device(request));
        post_([this, opening] { opened(std::move(*opening)); });
    });
}

/// [device thread]
DeviceSupervisor::Opening DeviceSupervisor::open_device(const DeviceRequest& request) const {
    Opening opening;
    for (const DeviceKind* const kind : kinds_to_try(request.device, drivers_.kinds())) {
        try_kind(*kind, request, opening);
        if (opening.running.device) break;
        // An unused library must not keep memory, nor remain an idle client of a sound server.
        drivers_.of(*kind).close();
    }
    return opening;
}

/// [device thread]
void DeviceSupervisor::try_kind(const DeviceKind& kind, const DeviceRequest& request, Opening& opening) const {
    const auto refuse = [&opening](const Error& error) {
        append_sentence(opening.refusals, error.sentence);
        opening.code = error.code;
    };
    const auto candidates = drivers_.of(kind).candidates(request);
    if (!candidates) return refuse(candidates.error());
    for (const DeviceDriver::Candidate& candidate : *candidates) {
        auto running = try_candidate(kind, candidate);
        if (running) {
            opening.running = std::move(*running);
            return;
        }
        refuse(running.error());
        opening.any_tried = true;
    }
}

/// [device thread]
Expected<DeviceSupervisor::Running> DeviceSupervisor::try_candidate(const DeviceKind& kind,
                                                                    const DeviceDriver::Candidate& candidate) const {
    auto device = candidate.open();
    if (!device) return std::unexpected(device.error());
    Running running = make_running(kind, std::move(*device));
    auto ready = running.device->start(*running.adapter);
    if (ready) ready = probe(*running.device, *running.adapter);
    if (ready) return running;
    running.device->stop();
    return std::unexpected(ready.error());
}

DeviceSupervisor::Running DeviceSupervisor::make_running(const DeviceKind& kind,
                                                         std::unique_ptr<AudioDevice> device) const {
    const DeviceDescription& description = device->description();
    auto adapter = std::make_unique<BlockAdapter>(gate_, renderer_, description.sample_rate_hz, description.channels_in,
                                                  description.channels_out);
    return {.kind = &kind, .adapter = std::move(adapter), .device = std::move(device)};
}

void DeviceSupervisor::opened(Opening opening) {
    if (!started_ || stopped_) {
        // Too late: another device drives the engine by now, or no device.
        if (opening.running.device) given_up_.push_back(std::move(opening.running));
        return;
    }
    if (!opening.running.device) {
        no_device(std::move(opening));
        return;
    }
    current_ = std::move(opening.running);
    begin_watch();
    current_.adapter->grant(gate_.start_generation());
    if (!opening.refusals.empty()) observer_.device_warning(opening.refusals);
    std::exchange(started_, {})({});
}

void DeviceSupervisor::no_device(Opening opening) {
    const Started started = std::exchange(started_, {});
    if (request_.device.kind != nullptr) {
        started(fail(opening.code, std::move(opening.refusals)));
        return;
    }
    // If there was no device to try, the refusal already says so.
    fallback_reason_ = (opening.any_tried ? "no usable sound card: " : "") + opening.refusals;
    auto result = start_fallback(request_);
    if (result) observer_.device_warning(fallback_sentence());
    started(std::move(result));
}

/// Opens and starts a device whose calls do not block.
Expected<void> DeviceSupervisor::start_directly(const DeviceKind& kind, const DeviceRequest& request) {
    const auto candidates = drivers_.of(kind).candidates(request);
    if (!candidates) return std::unexpected(candidates.error());
    auto device = candidates->front().open();
    if (!device) return std::unexpected(device.error());
    Running running = make_running(kind, std::move(*device));
    running.adapter->grant(gate_.start_generation());
    if (auto begun = running.device->start(*running.adapter); !begun) return begun;
    current_ = std::move(running);
    begin_watch();
    return {};
}

/// Starts the fallback kind with the channels and the sample rate of `request`.
Expected<void> DeviceSupervisor::start_fallback(DeviceRequest request) {
    const DeviceKind& fallback = fallback_kind(drivers_.kinds());
    request.device = {.kind = &fallback};
    request.input.reset();
    return start_directly(fallback, request);
}

std::string DeviceSupervisor::fallback_sentence() const {
    return fallback_reason_ + "; the " + std::string{fallback_kind(drivers_.kinds()).name} +
           " device provides the clock";
}

milliseconds DeviceSupervisor::poll(Clock::time_point now) {
    if (started_ && now - opening_since_ > kOpenLimit) {
        no_device({.refusals = "the audio driver did not respond within " + std::to_string(kOpenLimit.count()) + " s",
                   .code = ErrorCode::deadline_exceeded});
    }
    if (!current_.device || stopped_) return kIdleInterval;
    report_warnings();
    report_xruns(now);
    measure_load(now);
    if (!can_be_lost()) return kIdleInterval;
    watch(now);
    return kWatchInterval;
}

void DeviceSupervisor::watch(Clock::time_point now) {
    if (current_.device->finished()) {
        lose("its driver ended the stream");
        return;
    }
    if (const std::uint64_t callbacks = current_.adapter->callbacks(); callbacks != watch_.callbacks) {
        watch_.callbacks = callbacks;
        watch_.progress = now;
        return;
    }
    const std::chrono::duration<double> period{static_cast<double>(current_.adapter->callback_frames()) /
                                               current_.device->description().sample_rate_hz};
    const auto stalled = now - watch_.progress;
    if (stalled < std::max<std::chrono::duration<double>>(kStall, kStallPeriods * period)) return;
    if (stalled > kStallLimit) {
        lose("no callback for " + std::to_string(kStallLimit.count()) + " s");
        return;
    }
    if (now - watch_.asked >= kAskInterval) {
        watch_.asked = now;
        ask_driver();
    }
}

void DeviceSupervisor::ask_driver() {
    AudioDevice* const device = current_.device.get();
    device_thread_.post([this, device] {
        if (device->active()) return;
        post_([this, device] {
            if (current_.device.get() == device && !stopped_) lose("its driver no longer runs the stream");
        });
    });
}

void DeviceSupervisor::lose(const std::string& why) {
    const DeviceDescription description = current_.device->description();
    report_last_xruns();
    if (current_.device->can_stop_when_lost()) {
        device_thread_.post([device = current_.device.get()] { device->stop(); });
    }
    // Kept until the process exits: its driver may call the adapter again, which then asks the gate.
    given_up_.push_back(std::move(current_));
    current_ = {};

    fallback_reason_ = '"' + description.name + "\" was lost: " + why;
    DeviceRequest request = request_;
    request.channels_in = description.channels_in;
    request.channels_out = description.channels_out;
    request.sample_rate_hz = description.sample_rate_hz;
    const auto begun = start_fallback(std::move(request));
    observer_.device_changed(begun ? fallback_sentence() : fallback_reason_ + "; " + begun.error().sentence);
}

void DeviceSupervisor::report_warnings() {
    if (const auto warning = current_.device->take_warning()) observer_.device_warning(*warning);
    const std::uint32_t latency_frames = current_.adapter->latency_frames();
    if (latency_frames != watch_.latency_frames) {
        watch_.latency_frames = latency_frames;
        observer_.device_warning("\"" + current_.device->description().name + "\" requests " +
                                 std::to_string(current_.adapter->callback_frames()) +
                                 " frames per callback, which is not a multiple of the block size: this adds " +
                                 std::to_string(latency_frames) + " frames of latency");
    }
}

/// Resets the watch for a new device.
void DeviceSupervisor::begin_watch() {
    const Clock::time_point now = Clock::now();
    const XrunCounts so_far = current_.adapter->xrun_counts();
    watch_ = {.progress = now, .asked = now, .xruns = so_far, .xruns_logged = so_far, .load_taken = now};
    LoadMeter::Snapshot ignored;  // of the probe
    current_.adapter->load_meter().take(ignored);
    load_.clear();
}

void DeviceSupervisor::measure_load(Clock::time_point now) {
    if (now - watch_.load_taken < kLoadInterval) return;
    watch_.load_taken = now;
    load_.take(current_.adapter->load_meter());
}

void DeviceSupervisor::report_xruns(Clock::time_point now) {
    const XrunCounts counts = current_.adapter->xrun_counts();
    notify_xruns(counts);
    if (counts == watch_.xruns_logged || now < watch_.xruns_log_pause) return;
    log_xruns(counts);
    watch_.xruns_log_pause = now + kXrunLogPause;
}

/// Reports the xruns of a device that was lost, without waiting for the log pause.
void DeviceSupervisor::report_last_xruns() {
    const XrunCounts counts = current_.adapter->xrun_counts();
    notify_xruns(counts);
    if (counts != watch_.xruns_logged) log_xruns(counts);
}

void DeviceSupervisor::notify_xruns(const XrunCounts& counts) {
    if (counts == watch_.xruns) return;
    observer_.device_xruns(counts.since(watch_.xruns), current_.adapter->xrun_frame());
    watch_.xruns = counts;
}

void DeviceSupervisor::log_xruns(const XrunCounts& counts) {
    observer_.device_warning("dropouts on \"" + name_in_words(current_.device->description()) +
                             "\": " + in_words(counts.since(watch_.xruns_logged)) +
                             "; since it was opened: " + in_words(counts));
    watch_.xruns_logged = counts;
}

DeviceStatus DeviceSupervisor::status() const {
    if (!current_.device) return {.fallback_reason = fallback_reason_};
    return {.description = current_.device->description(),
            .latency = current_.device->latency(),
            .running = !stopped_,
            .fallback_reason = fallback_reason_,
            .callback_frames = current_.adapter->callback_frames(),
            .adapter_frames = current_.adapter->latency_frames(),
            .xruns = current_.adapter->reported_xruns(),
            .xrun_counts = current_.adapter->xrun_counts()};
}

SchedulingStatus DeviceSupervisor::scheduling() const {
    if (!current_.device) return {};
    const ThreadScheduling scheduling = scheduling_of(current_.adapter->thread_id());
    if (scheduling.policy.empty() || scheduling.realtime) return {.policy = scheduling.policy};
    return {.policy = scheduling.policy, .detail = current_.device->why_not_realtime()};
}

void DeviceSupervisor::list(std::function<void(Expected<std::vector<DeviceInfo>>)> done) {
    library_used_ = true;
    device_thread_.post([this, done = std::move(done)] {
        const auto devices = std::make_shared<Expected<std::vector<DeviceInfo>>>(drivers_.list());
        post_([done, devices] { done(std::move(*devices)); });
    });
}

bool DeviceSupervisor::stop(milliseconds limit) {
    if (std::exchange(stopped_, true)) return !library_used_;
    gate_.start_generation();
    if (current_.device && can_be_lost()) {
        const auto ended = std::make_shared<std::promise<void>>();
        const std::future<void> end = ended->get_future();
        const bool none_lost = given_up_.empty();
        device_thread_.post([this, kind = current_.kind, device = current_.device.get(), none_lost, ended] {
            device->stop();
            if (none_lost) drivers_.of(*kind).close();
            ended->set_value();
        });
        if (limit == milliseconds::max()) {
            end.wait();
        } else {
            static_cast<void>(end.wait_for(limit));
        }
    } else if (current_.device) {
        current_.device->stop();
        report_warnings();
    }
    return !library_used_;
}

}  // namespace rta::io
