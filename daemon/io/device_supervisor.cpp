// SPDX-License-Identifier: MIT
#include "io/device_supervisor.h"

#include <algorithm>
#include <cassert>
#include <future>
#include <iterator>
#include <utility>

#include "io/audio_thread_setup.h"
#include "text/quoting.h"

namespace rta::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Time limit of a request, below that of rtactl, and the time after which a driver is reported as hanging.
constexpr seconds kOpenLimit{8};

constexpr milliseconds kWatchInterval{10};
/// Interval for devices that cannot be lost; their files may still have warnings.
constexpr milliseconds kIdleInterval{100};

/// The pause before the next attempt is this share of the time since the loss, so that a device that is back is open
/// again soon in comparison.
constexpr int kRetryShare = 8;
constexpr milliseconds kShortestRetryPause{100};
/// A device that was lost may come back in parts. Until this time after the loss, it must come with its input.
constexpr seconds kWaitForInput{1};

/// A change of the device waits for its driver to close it, but not for a driver that hangs.
constexpr seconds kCloseLimit{1};

/// A device that makes no callbacks is closed after this time without the engine, and gets the engine back after this
/// number of callbacks.
constexpr seconds kHoldTime{1};
constexpr std::uint64_t kCallbacksToResume = 4;

/// Timeout of the fade-out before a change. On a device that has stopped, the fade never completes.
constexpr milliseconds kFadeLimit{100};

/// What has happened to a device that was taken away for a change.
constexpr const char* kClosed = "was closed to change the device";

[[nodiscard]] bool is_nonblocking(const DeviceRequest& request) {
    return request.device.kind != nullptr && request.device.kind->calls == DriverCalls::nonblocking;
}

}  // namespace

const char* name_of(DeviceSupervisor::State state) noexcept {
    switch (state) {
        case DeviceSupervisor::State::closed:
            return "closed";
        case DeviceSupervisor::State::opening:
            return "opening";
        case DeviceSupervisor::State::running:
            return "running";
        case DeviceSupervisor::State::lost:
            return "lost";
        case DeviceSupervisor::State::waiting:
            return "waiting";
    }
    std::unreachable();
}

DeviceSupervisor::DeviceSupervisor(AudioThreadGate& gate, Renderer& renderer, Observer& observer, Post post,
                                   DeviceKinds kinds, const DriverLog& log, Now now)
    : gate_{gate},
      renderer_{renderer},
      observer_{observer},
      post_{std::move(post)},
      now_{std::move(now)},
      watch_{observer} {
    for (const DeviceKind* const kind : kinds) {
        hosts_.push_back(std::make_unique<Host>(kind, kind->make_driver(log)));
    }
}

DeviceSupervisor::~DeviceSupervisor() { static_cast<void>(stop(milliseconds::max())); }

DeviceSupervisor::Host& DeviceSupervisor::host_of(const DeviceKind& kind) const {
    const auto found = std::ranges::find(hosts_, &kind, [](const auto& host) { return host->kind; });
    assert(found != hosts_.end());
    return **found;
}

void DeviceSupervisor::Host::destroy(RunningDevice& running) {
    if (running.live()) --devices;
    running = {};
}

void DeviceSupervisor::start(const DeviceRequest& request, Done done) {
    change_ = {.done = std::move(done), .previous = std::nullopt, .since = now_()};
    request_ = fallback_request_ = request;
    open();
}

void DeviceSupervisor::change(const DeviceRequest& request, Done done) {
    if (change_) {
        return done(fail(ErrorCode::aborted, "the device is being changed by another request: try again"));
    }
    if (state_ == State::running && is_nonblocking(request) && request.device == request_.device) {
        return done({});  // nothing to reconnect, and a recording continues
    }
    change_ = {.done = std::move(done), .previous = request_, .since = now_()};
    request_ = request;
    if (held_) release_held();
    if (state_ == State::lost && !is_nonblocking(request)) return;  // continues in closed()
    if (state_ == State::running && current_.live()) {
        current_.adapter->fade_out();
        fading_since_ = now_();  // continues in begin_switch()
        return;
    }
    open();
}

void DeviceSupervisor::reopen(Done done) {
    DeviceRequest request = request_;
    request.existing_file = ExistingFile::rename;  // what was recorded so far stays
    change(request, std::move(done));
}

/// The device that people hear is silent now.
void DeviceSupervisor::begin_switch() {
    fading_since_.reset();
    if (is_nonblocking(request_)) return open();
    lose(kClosed);
}

void DeviceSupervisor::cancel_attempt() {
    if (attempt_) attempt_->cancelled.store(true, std::memory_order_relaxed);
    attempt_.reset();
}

void DeviceSupervisor::open() {
    cancel_attempt();
    state_ = State::opening;
    opening_since_ = now_();
    hang_reported_ = false;
    if (is_nonblocking(request_)) return open_directly(*request_.device.kind);
    std::vector<const DeviceKind*> all;
    std::ranges::transform(hosts_, std::back_inserter(all), [](const auto& host) { return host->kind; });
    attempt_ = std::make_shared<Attempt>(request_, kinds_to_try(request_.device, all));
    attempt_->request.input_may_be_absent = !change_ && !loss_.empty() && opening_since_ - lost_since_ >= kWaitForInput;
    try_kind(attempt_);
}

void DeviceSupervisor::open_directly(const DeviceKind& kind) {
    auto running = start_directly(engine(), kind, *host_of(kind).driver, request_);
    if (running) return attach(std::move(*running), {});
    // The attempt has taken the engine from the current device.
    if (current_ && !current_.live()) current_.adapter->grant(gate_.start_generation());
    Opening opening;
    opening.refuse(running.error());
    refused(opening);
}

void DeviceSupervisor::try_kind(const std::shared_ptr<Attempt>& attempt) {
    Host& host = host_of(*attempt->kinds.at(attempt->next));
    host.used = true;
    host.thread.post([this, attempt, &host] {
        Opening& opening = attempt->opening;
        open_device(engine(), *host.kind, *host.driver, attempt->request, attempt->cancelled, opening);
        if (opening.running) ++host.devices;
        if (opening.running && attempt->cancelled.load(std::memory_order_relaxed)) {
            opening.running.device->stop();
            host.destroy(opening.running);
        }
        host.close_if_unused();
        post_([this, attempt] { tried(attempt); });
    });
}

void DeviceSupervisor::tried(const std::shared_ptr<Attempt>& attempt) {
    Opening& opening = attempt->opening;
    if (attempt != attempt_ || stopped_) {  // too late
        if (opening.running) retire(std::move(opening.running));
        return;
    }
    if (!opening.running && ++attempt->next < attempt->kinds.size()) return try_kind(attempt);
    attempt_.reset();
    if (!opening.running) return refused(opening);
    opening.running.adapter->grant(gate_.start_generation(), BlockAdapter::Entrance::faded_in);
    attach(std::move(opening.running), opening.refusals);
}

/// Makes a device that was given the engine the current one.
void DeviceSupervisor::attach(RunningDevice running, const std::string& refusals) {
    cancel_attempt();
    RunningDevice previous = std::exchange(current_, std::move(running));
    watch_.begin(current_, now_());
    state_ = State::running;
    on_fallback_ = false;
    loss_.clear();
    refusal_.clear();
    fallback_request_ = request_;
    fallback_request_.channels_in = current_.description().channels_in;
    fallback_request_.channels_out = current_.description().channels_out;
    if (!refusals.empty()) observer_.device_warning(refusals);
    if (previous) retire(std::move(previous));
    const bool first = change_ && !change_->previous;
    if (!first) {
        const DeviceDescription& device = current_.description();
        observer_.device_note(quoted(device.name.empty() ? device.kind : device.name) + " drives the engine (" +
                              std::to_string(device.channels_in) + " in, " + std::to_string(device.channels_out) +
                              " out)");
        observer_.device_changed();
    }
    answer({});
}

void DeviceSupervisor::refused(const Opening& opening) {
    if (!change_) return wait(opening.refusals);
    if (!change_->previous) return refuse_first(opening);
    refuse_change(opening);
}

void DeviceSupervisor::refuse_first(const Opening& opening) {
    if (request_.device.kind != nullptr) {
        state_ = State::closed;
        return answer(fail(opening.code, opening.refusals));
    }
    // If no device could be tried, the refusal already says so.
    loss_ = (opening.any_tried ? "no usable sound card: " : "") + opening.refusals;
    refusal_ = opening.refusals;
    lost_since_ = now_();
    auto result = start_fallback();
    if (result) observer_.device_warning(fallback_sentence());
    wait(opening.refusals);
    answer(std::move(result));
}

void DeviceSupervisor::refuse_change(const Opening& opening) {
    const bool other_device = request_.device != change_->previous->device;
    request_ = *change_->previous;
    std::string sentence = opening.refusals;
    if (current_ && !on_fallback_ && !current_.live()) {
        state_ = State::running;
    } else if (current_ && !on_fallback_) {
        lose(kClosed);
    } else if (other_device) {
        sentence += "; the previous device is opened again";
        open();
    } else {
        wait(opening.refusals);
    }
    answer(fail(opening.code, std::move(sentence)));
}

/// Waits for the next attempt.
void DeviceSupervisor::wait(const std::string& refusal) {
    const Clock::time_point now = now_();
    const DeviceKind* const kind = request_.device.kind;
    const auto longest = kind != nullptr ? kind->longest_retry_pause : DeviceKind{}.longest_retry_pause;
    const auto share = std::chrono::duration_cast<milliseconds>(now - lost_since_) / kRetryShare;
    next_attempt_ = now + std::clamp(share, kShortestRetryPause, longest);
    state_ = State::waiting;
    if (refusal.empty() || refusal == refusal_) return;  // reported once, not after every attempt
    refusal_ = refusal;
    observer_.device_warning("cannot open the device again: " + refusal + "; trying again");
    observer_.device_changed();
}

/// Gives the engine to the fallback. Returns the device that was taken away.
RunningDevice DeviceSupervisor::take_away(const std::string& why) {
    fading_since_.reset();
    RunningDevice previous = std::exchange(current_, {});
    watch_.report_last(previous);
    state_ = State::lost;
    ++losses_;
    lost_since_ = now_();
    hang_reported_ = false;
    loss_ = quoted(previous.description().name) + " " + why;
    refusal_.clear();
    const auto begun = start_fallback();
    observer_.device_warning(begun ? fallback_sentence() : loss_ + "; " + begun.error().sentence);
    observer_.device_changed();
    return previous;
}

/// Lets the driver close the current device.
void DeviceSupervisor::lose(const std::string& why) {
    RunningDevice previous = take_away(why);
    retire(std::move(previous), [this, loss = losses_] { closed(loss); });
}

/// Keeps the current device for a while without the engine: it may only be late, as on a busy machine.
void DeviceSupervisor::hold(Clock::duration stalled) {
    const auto stalled_ms = std::chrono::duration_cast<milliseconds>(stalled).count();
    held_callbacks_ = current_.adapter->callbacks();
    held_xruns_ = current_.adapter->xrun_counts();
    held_stall_ = stalled;
    held_ = take_away("has requested no audio for " + std::to_string(stalled_ms) + " ms");
}

void DeviceSupervisor::watch_held(Clock::time_point now) {
    if (held_.device->end_of_stream() || now - lost_since_ >= kHoldTime) return release_held();
    if (held_.adapter->callbacks() - held_callbacks_ >= kCallbacksToResume) resume(now);
}

/// Gives the engine back to the device that stalled.
void DeviceSupervisor::resume(Clock::time_point now) {
    const Clock::duration stalled = held_stall_ + (now - lost_since_);
    held_.adapter->grant(gate_.start_generation());  // an adapter that has lost the engine fades in
    attach(std::exchange(held_, {}), {});
    watch_.resume(current_, now, stalled, held_xruns_);
}

void DeviceSupervisor::release_held() {
    retire(std::exchange(held_, {}), [this, loss = losses_] { closed(loss); });
}

/// The driver has closed the device that was taken away in the loss of this number.
void DeviceSupervisor::closed(unsigned loss) {
    if (state_ != State::lost || loss != losses_) return;
    if (change_) return open();
    wait({});
}

/// Lets the driver stop and destroy a device that does not drive the engine, then calls `then`.
void DeviceSupervisor::retire(RunningDevice running, const std::function<void()>& then) {
    Host& host = host_of(*running.kind);
    host.used = true;
    host.thread.post([this, &host, owned = std::make_shared<RunningDevice>(std::move(running)), then] {
        owned->device->stop();
        const std::optional<std::string> warning = owned->device->take_warning();
        const bool failed = owned->device->failed();
        host.destroy(*owned);
        host.close_if_unused();
        post_([this, warning, failed, then] {
            if (warning) observer_.device_warning(*warning);
            if (failed) recording_failed_ = true;
            if (then && !stopped_) then();
        });
    });
}

/// Starts the fallback kind with the channels and the sample rate of the requested device.
Expected<void> DeviceSupervisor::start_fallback() {
    const auto fallback =
        std::ranges::find(hosts_, AutoRole::fallback, [](const auto& h) { return h->kind->auto_role; });
    assert(fallback != hosts_.end());
    DeviceRequest request = fallback_request_;
    request.device = {.kind = (*fallback)->kind};
    request.input.reset();
    auto running = start_directly(engine(), *(*fallback)->kind, *(*fallback)->driver, request);
    if (!running) return std::unexpected(running.error());
    current_ = std::move(*running);
    on_fallback_ = true;
    watch_.begin(current_, now_());
    return {};
}

std::string DeviceSupervisor::fallback_sentence() const {
    std::string sentence = loss_;
    if (!refusal_.empty() && loss_.find(refusal_) == std::string::npos) sentence += "; " + refusal_;
    return sentence + "; the null device provides the clock until it is back";
}

void DeviceSupervisor::answer(Expected<void> result) {
    if (!change_) return;
    const Change answered = *std::exchange(change_, std::nullopt);
    answered.done(std::move(result));
}

milliseconds DeviceSupervisor::poll() {
    if (stopped_) return kIdleInterval;
    const Clock::time_point now = now_();
    check_limits(now);
    if (state_ == State::waiting && now >= next_attempt_) open();
    if (state_ == State::lost && change_ && now - lost_since_ >= kCloseLimit) open();
    if (!current_) {
        // Only a failed thread creation leaves the engine without a clock once it had one.
        if (state_ == State::closed || loss_.empty() || !start_fallback()) return kWatchInterval;
    }
    watch_.report(current_, now);
    if (held_) watch_held(now);
    if (state_ != State::running) return kWatchInterval;
    if (!current_.live()) return kIdleInterval;
    serve();
    if (const auto why = current_.device->end_of_stream()) {
        lose("was lost: " + *why);
    } else if (const auto stalled = watch_.stall(current_, now); stalled && !fading_since_) {
        hold(*stalled);
    } else if (fading_since_ && (current_.adapter->silent() || now - *fading_since_ >= fade_limit())) {
        begin_switch();
    }
    return kWatchInterval;
}

/// The fade is part of the next callbacks, which may be long.
DeviceSupervisor::Clock::duration DeviceSupervisor::fade_limit() const {
    const std::chrono::duration<double> callback{static_cast<double>(current_.adapter->callback_frames()) /
                                                 current_.description().sample_rate_hz};
    return kFadeLimit + std::chrono::duration_cast<Clock::duration>(3 * callback);
}

/// Lets the device make calls that may block.
void DeviceSupervisor::serve() {
    if (serving_ || !current_.device->needs_service()) return;
    serving_ = true;
    host_of(*current_.kind).thread.post([this, device = current_.device.get()] {
        device->serve();
        post_([this] { serving_ = false; });
    });
}

void DeviceSupervisor::check_limits(Clock::time_point now) {
    const std::string sentence = "the audio driver did not respond within " + std::to_string(kOpenLimit.count()) + " s";
    if (change_ && now - change_->since > kOpenLimit) {
        cancel_attempt();
        Opening opening;
        opening.refuse({ErrorCode::deadline_exceeded, sentence});
        return refused(opening);
    }
    const bool waits_for_driver = state_ == State::opening || state_ == State::lost;
    const auto since = state_ == State::opening ? opening_since_ : lost_since_;
    if (waits_for_driver && !hang_reported_ && now - since > kOpenLimit) {
        hang_reported_ = true;
        observer_.device_warning(sentence + "; the next attempt waits for it");
    }
}

DeviceStatus DeviceSupervisor::status() const {
    std::string reason = loss_;
    if (!refusal_.empty() && loss_.find(refusal_) == std::string::npos) reason += "; " + refusal_;
    DeviceStatus status{.state = name_of(state_), .fallback_reason = std::move(reason)};
    if (!current_) return status;
    status.description = current_.description();
    status.latency = current_.device->latency();
    status.running = !stopped_;
    status.callback_frames = current_.adapter->callback_frames();
    status.adapter_frames = current_.adapter->latency_frames();
    status.xruns = current_.adapter->reported_xruns();
    status.xrun_counts = current_.adapter->xrun_counts();
    status.recording_lost_frames = current_.device->lost_frames();
    return status;
}

SchedulingStatus DeviceSupervisor::scheduling() const {
    if (!current_) return {};
    const ThreadScheduling scheduling = scheduling_of(current_.adapter->thread_id());
    if (scheduling.policy.empty() || scheduling.realtime) return {.policy = scheduling.policy};
    return {.policy = scheduling.policy, .detail = current_.device->why_not_realtime()};
}

bool DeviceSupervisor::stop(milliseconds limit) {
    const auto library_used = [this] {
        return std::ranges::any_of(
            hosts_, [](const auto& host) { return host->used && host->kind->calls == DriverCalls::may_block; });
    };
    if (std::exchange(stopped_, true)) return ended_ && !library_used();
    gate_.start_generation();
    const std::shared_ptr<Attempt> attempt = attempt_;
    cancel_attempt();
    if (held_) release_held();
    if (current_ && !current_.live()) {
        current_.device->stop();
        watch_.report(current_, now_());
    }
    const auto deadline = limit == milliseconds::max() ? Clock::time_point::max() : Clock::now() + limit;
    for (const auto& host : hosts_) {
        if (!host->used) continue;
        const auto ended = std::make_shared<std::promise<void>>();
        const std::future<void> end = ended->get_future();
        AudioDevice* const device =
            current_ && current_.live() && current_.kind == host->kind ? current_.device.get() : nullptr;
        host->thread.post([driver = host->driver.get(), kind = host->kind, device, attempt, ended] {
            if (device != nullptr) device->stop();
            // A device that was opened too late to be used.
            if (attempt && attempt->opening.running && attempt->opening.running.kind == kind) {
                attempt->opening.running.device->stop();
            }
            driver->close();
            ended->set_value();
        });
        if (deadline == Clock::time_point::max()) {
            end.wait();
        } else {
            ended_ = end.wait_until(deadline) == std::future_status::ready && ended_;
        }
    }
    return ended_ && !library_used();
}

}  // namespace rta::io
