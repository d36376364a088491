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

/// A device plays silence for so long before it is given the engine. Some that open are no clock: ALSA's `null` and
/// `file` call hundreds of times faster than real time.
constexpr milliseconds kProbation{60};
constexpr milliseconds kProbationStep{5};
/// What an honest device may ask for at once to fill its buffers, in seconds of sound.
constexpr double kLargestBufferSeconds = 1.0;
constexpr seconds kFirstCallbackLimit{2};
constexpr seconds kOpenLimit{10};

static_assert(Renderer::kMeteredChannels == kMaximumChannels, "every channel that a device may have is measured");

constexpr milliseconds kWatchInterval{10};
/// Where nothing can be lost: files may still have something to report.
constexpr milliseconds kLeisurelyInterval{100};

constexpr milliseconds kLoadInterval{100};
/// Between two lines of the log about xruns.
constexpr seconds kXrunLogPause{10};

/// Callbacks that do not come for this long, and for four periods, are worth a question to the host.
constexpr milliseconds kStall{20};
constexpr int kStallPeriods = 4;
constexpr milliseconds kAskInterval{20};
/// A host that says the stream is alive is believed for so long without a callback.
constexpr seconds kStallLimit{2};

[[nodiscard]] Expected<void> probation(const AudioDevice& device, const BlockAdapter& adapter) {
    const auto began = std::chrono::steady_clock::now();
    const std::string name = '"' + device.description().name + '"';
    while (true) {
        std::this_thread::sleep_for(kProbationStep);
        const auto elapsed = std::chrono::steady_clock::now() - began;
        if (device.finished()) return fail(ErrorCode::unavailable, name + " ended at once");
        if (adapter.callbacks() == 0) {
            if (elapsed < kFirstCallbackLimit) continue;
            return fail(ErrorCode::unavailable, name + " opened, but did not call for sound within " +
                                                    std::to_string(kFirstCallbackLimit.count()) + " s");
        }
        if (elapsed < kProbation) continue;
        const double elapsed_s = std::chrono::duration<double>(elapsed).count();
        const double sound_s = static_cast<double>(adapter.frames()) / device.description().sample_rate_hz;
        if (sound_s <= elapsed_s + kLargestBufferSeconds) return {};
        return fail(ErrorCode::unavailable, name + " runs " + std::to_string(static_cast<int>(sound_s / elapsed_s)) +
                                                " times faster than real time: it is no clock");
    }
}

[[nodiscard]] std::string name_in_words(const DeviceDescription& device) {
    return device.name.empty() ? device.kind : device.name;
}

/// Those kinds that there are.
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
    // A card refused with its input is often refused without it, and for the same reason.
    if (text.find(sentence) != std::string::npos) return;
    if (!text.empty()) text += "; ";
    text += sentence;
}

}  // namespace

DeviceSupervisor::DeviceSupervisor(AudioThreadGate& gate, Renderer& renderer, Observer& observer, Post post,
                                   std::unique_ptr<DeviceHost> host)
    : gate_{gate}, renderer_{renderer}, observer_{observer}, post_{std::move(post)}, host_{std::move(host)} {}

DeviceSupervisor::~DeviceSupervisor() { static_cast<void>(stop(milliseconds::max())); }

void DeviceSupervisor::start(const DeviceRequest& request, Started started) {
    request_ = request;
    if (request.device.kind == DeviceChoice::Kind::null) {
        started(start_null({.sample_rate_hz = request.sample_rate_hz,
                            .block_size = request.block_size,
                            .channels_in = request.channels_in.value_or(0),
                            .channels_out = request.channels_out.value_or(kDefaultChannels),
                            .file = request.device.name,
                            .older = request.older}));
        return;
    }
    started_ = std::move(started);
    opening_since_ = Clock::now();
    host_used_ = true;
    device_thread_.post([this, request] {
        // Shared, because a function object must be copyable.
        const auto opening = std::make_shared<Opening>(open_host_device(request));
        post_([this, opening] { opened(std::move(*opening)); });
    });
}

/// [device thread]
DeviceSupervisor::Opening DeviceSupervisor::open_host_device(const DeviceRequest& request) const {
    Opening opening = try_candidates(request);
    // Nobody plays through the host: it need not keep memory, nor a sound server a client that does nothing.
    if (!opening.running.device) host_->close();
    return opening;
}

/// [device thread]
DeviceSupervisor::Opening DeviceSupervisor::try_candidates(const DeviceRequest& request) const {
    const auto candidates = host_->candidates(request);
    if (!candidates) return {.running = {}, .refusals = candidates.error().sentence, .code = candidates.error().code};
    Opening opening;
    for (const DeviceHost::Candidate& candidate : *candidates) {
        auto running = try_candidate(candidate);
        if (running) {
            opening.running = std::move(*running);
            break;
        }
        append_sentence(opening.refusals, running.error().sentence);
        opening.code = running.error().code;
        opening.tried = true;
    }
    return opening;
}

/// [device thread]
Expected<DeviceSupervisor::Running> DeviceSupervisor::try_candidate(const DeviceHost::Candidate& candidate) const {
    auto device = candidate.open();
    if (!device) return std::unexpected(device.error());
    const DeviceDescription& description = (*device)->description();
    Running running{.adapter = std::make_unique<BlockAdapter>(gate_, renderer_, description.sample_rate_hz,
                                                              description.channels_in, description.channels_out),
                    .device = std::move(*device)};
    auto ready = running.device->start(*running.adapter);
    if (ready) ready = probation(*running.device, *running.adapter);
    if (ready) return running;
    running.device->stop();
    return std::unexpected(ready.error());
}

void DeviceSupervisor::opened(Opening opening) {
    if (!started_ || stopped_) {
        // It was waited for in vain; the engine belongs to another device by now, or to none.
        if (opening.running.device) given_up_.push_back(std::move(opening.running));
        return;
    }
    if (!opening.running.device) {
        no_device(std::move(opening));
        return;
    }
    current_ = std::move(opening.running);
    host_drives_ = true;
    begin_watch();
    current_.adapter->grant(gate_.start_generation());
    if (!opening.refusals.empty()) observer_.device_warning(opening.refusals);
    std::exchange(started_, {})({});
}

void DeviceSupervisor::no_device(Opening opening) {
    const Started started = std::exchange(started_, {});
    if (request_.device.kind != DeviceChoice::Kind::automatic) {
        started(fail(opening.code, std::move(opening.refusals)));
        return;
    }
    // Where there was nothing to try, the host has said so itself.
    fallback_reason_ = (opening.tried ? "no usable sound card: " : "") + opening.refusals;
    auto result = start_null({.sample_rate_hz = request_.sample_rate_hz,
                              .block_size = request_.block_size,
                              .channels_in = request_.channels_in.value_or(0),
                              .channels_out = request_.channels_out.value_or(kDefaultChannels),
                              .file = {}});
    if (result) observer_.device_warning(fallback_reason_ + "; the null device keeps the clock");
    started(std::move(result));
}

Expected<void> DeviceSupervisor::start_null(const NullDevice::Config& config) {
    auto device = NullDevice::open(config);
    if (!device) return std::unexpected(device.error());
    Running running{.adapter = std::make_unique<BlockAdapter>(gate_, renderer_, config.sample_rate_hz,
                                                              config.channels_in, config.channels_out),
                    .device = std::move(*device)};
    running.adapter->grant(gate_.start_generation());
    if (auto begun = running.device->start(*running.adapter); !begun) return begun;
    current_ = std::move(running);
    host_drives_ = false;
    begin_watch();
    return {};
}

milliseconds DeviceSupervisor::poll(Clock::time_point now) {
    if (started_ && now - opening_since_ > kOpenLimit) {
        no_device({.running = {},
                   .refusals = "the sound system did not answer within " + std::to_string(kOpenLimit.count()) + " s",
                   .code = ErrorCode::deadline_exceeded});
    }
    if (!current_.device || stopped_) return kLeisurelyInterval;
    report_warnings();
    report_xruns(now);
    measure_load(now);
    if (host_drives_) watch(now);
    return host_drives_ ? kWatchInterval : kLeisurelyInterval;
}

void DeviceSupervisor::watch(Clock::time_point now) {
    if (current_.device->finished()) {
        lose("its host ended the stream");
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
        lose("it has not called for sound for " + std::to_string(kStallLimit.count()) + " s");
        return;
    }
    if (now - watch_.asked >= kAskInterval) {
        watch_.asked = now;
        ask_host();
    }
}

void DeviceSupervisor::ask_host() {
    AudioDevice* const device = current_.device.get();
    device_thread_.post([this, device] {
        if (device->active()) return;
        post_([this, device] {
            if (current_.device.get() == device && !stopped_) lose("its host no longer runs the stream");
        });
    });
}

void DeviceSupervisor::lose(const std::string& why) {
    const DeviceDescription description = current_.device->description();
    report_last_xruns();
    if (current_.device->can_stop_when_lost()) {
        device_thread_.post([device = current_.device.get()] { device->stop(); });
    }
    // Kept for ever: nobody can say that its host will not call once more, and then the gate must be asked.
    given_up_.push_back(std::move(current_));
    current_ = {};

    fallback_reason_ = '"' + description.name + "\" was lost: " + why;
    const auto begun = start_null({.sample_rate_hz = description.sample_rate_hz,
                                   .block_size = request_.block_size,
                                   .channels_in = description.channels_in,
                                   .channels_out = description.channels_out,
                                   .file = {}});
    observer_.device_changed(begun ? fallback_reason_ + "; the null device keeps the clock"
                                   : fallback_reason_ + "; and " + begun.error().sentence);
}

void DeviceSupervisor::report_warnings() {
    if (const auto warning = current_.device->take_warning()) observer_.device_warning(*warning);
    const std::uint32_t latency_frames = current_.adapter->latency_frames();
    if (latency_frames != watch_.latency_frames) {
        watch_.latency_frames = latency_frames;
        observer_.device_warning("\"" + current_.device->description().name + "\" calls for " +
                                 std::to_string(current_.adapter->callback_frames()) +
                                 " frames, which is no multiple of the block size: " + std::to_string(latency_frames) +
                                 " frames of latency are added");
    }
}

/// Another device: its counts begin afresh.
void DeviceSupervisor::begin_watch() {
    const Clock::time_point now = Clock::now();
    const XrunCounts so_far = current_.adapter->xrun_counts();
    watch_ = {.progress = now, .asked = now, .xruns = so_far, .xruns_logged = so_far, .load_taken = now};
    LoadMeter::Snapshot probation;
    current_.adapter->load_meter().take(probation);
    load_.clear();
}

void DeviceSupervisor::measure_load(Clock::time_point now) {
    if (now - watch_.load_taken < kLoadInterval) return;
    watch_.load_taken = now;
    load_.take(current_.adapter->load_meter());
}

void DeviceSupervisor::report_xruns(Clock::time_point now) {
    const XrunCounts counts = current_.adapter->xrun_counts();
    tell_xruns(counts);
    if (counts == watch_.xruns_logged || now < watch_.xruns_log_pause) return;
    log_xruns(counts);
    watch_.xruns_log_pause = now + kXrunLogPause;
}

/// Of a device that nobody will ask again: its log does not wait.
void DeviceSupervisor::report_last_xruns() {
    const XrunCounts counts = current_.adapter->xrun_counts();
    tell_xruns(counts);
    if (counts != watch_.xruns_logged) log_xruns(counts);
}

void DeviceSupervisor::tell_xruns(const XrunCounts& counts) {
    if (counts == watch_.xruns) return;
    observer_.device_xruns(counts.since(watch_.xruns), current_.adapter->xrun_frame());
    watch_.xruns = counts;
}

void DeviceSupervisor::log_xruns(const XrunCounts& counts) {
    observer_.device_warning('"' + name_in_words(current_.device->description()) + "\" breaks up: " +
                             in_words(counts.since(watch_.xruns_logged)) + "; since it was opened " + in_words(counts));
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
    host_used_ = true;
    device_thread_.post([this, done = std::move(done)] {
        const auto devices = std::make_shared<Expected<std::vector<DeviceInfo>>>(host_->list());
        post_([done, devices] { done(std::move(*devices)); });
    });
}

bool DeviceSupervisor::stop(milliseconds limit) {
    if (std::exchange(stopped_, true)) return !host_used_;
    gate_.start_generation();
    if (current_.device && host_drives_) {
        const auto ended = std::make_shared<std::promise<void>>();
        const std::future<void> end = ended->get_future();
        const bool none_lost = given_up_.empty();
        device_thread_.post([this, device = current_.device.get(), none_lost, ended] {
            device->stop();
            if (none_lost) host_->close();
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
    return !host_used_;
}

}  // namespace rta::io
