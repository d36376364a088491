// SPDX-License-Identifier: MIT
#include "io/device_opening.h"

#include <chrono>
#include <thread>
#include <utility>

#include "text/quoting.h"

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

static_assert(Renderer::kMeteredChannels == kMaximumChannels, "every channel that a device may have is measured");

[[nodiscard]] Expected<void> probe(const RunningDevice& running, const std::atomic<bool>& cancelled) {
    const auto start = std::chrono::steady_clock::now();
    const std::string name = quoted(running.description().name);
    while (true) {
        std::this_thread::sleep_for(kProbeStep);
        if (cancelled.load(std::memory_order_relaxed))
            return fail(ErrorCode::aborted, "opening " + name + " was cancelled");
        const auto elapsed = std::chrono::steady_clock::now() - start;
        if (const auto why = running.device->end_of_stream()) {
            return fail(ErrorCode::unavailable, name + " ended its stream immediately: " + *why);
        }
        if (running.adapter->callbacks() == 0) {
            if (elapsed < kFirstCallbackLimit) continue;
            return fail(ErrorCode::unavailable, name + " opened, but requested no audio within " +
                                                    std::to_string(kFirstCallbackLimit.count()) + " s");
        }
        if (elapsed < kProbeTime) continue;
        const double elapsed_s = std::chrono::duration<double>(elapsed).count();
        const double audio_s = static_cast<double>(running.adapter->frames()) / running.description().sample_rate_hz;
        if (audio_s <= elapsed_s + kLargestBufferSeconds) return {};
        return fail(ErrorCode::unavailable, name + " runs " + std::to_string(static_cast<int>(audio_s / elapsed_s)) +
                                                " times faster than real time, so it cannot be used as a clock");
    }
}

[[nodiscard]] RunningDevice make_running(const DrivenEngine& engine, const DeviceKind& kind,
                                         std::unique_ptr<AudioDevice> device) {
    const DeviceDescription& description = device->description();
    auto adapter = std::make_unique<BlockAdapter>(engine.gate, engine.renderer, description.sample_rate_hz,
                                                  description.channels_in, description.channels_out);
    return {.kind = &kind, .adapter = std::move(adapter), .device = std::move(device)};
}

[[nodiscard]] Expected<RunningDevice> try_candidate(const DrivenEngine& engine, const DeviceKind& kind,
                                                    const DeviceDriver::Candidate& candidate,
                                                    const std::atomic<bool>& cancelled) {
    auto device = candidate.open();
    if (!device) return std::unexpected(device.error());
    RunningDevice running = make_running(engine, kind, std::move(*device));
    auto ready = running.device->start(*running.adapter);
    if (ready) ready = probe(running, cancelled);
    if (ready) return running;
    running.device->stop();
    return std::unexpected(ready.error());
}

}  // namespace

void Opening::refuse(const Error& error) {
    code = error.code;
    // A card that is refused with its input is often refused without it for the same reason.
    if (refusals.find(error.sentence) != std::string::npos) return;
    if (!refusals.empty()) refusals += "; ";
    refusals += error.sentence;
}

void open_device(const DrivenEngine& engine, const DeviceKind& kind, DeviceDriver& driver, const DeviceRequest& request,
                 const std::atomic<bool>& cancelled, Opening& opening) {
    auto candidates = driver.candidates(request);
    if (!candidates) {
        opening.refuse(candidates.error());
        candidates.emplace();
    }
    for (const DeviceDriver::Candidate& candidate : *candidates) {
        if (cancelled.load(std::memory_order_relaxed)) break;
        auto running = try_candidate(engine, kind, candidate, cancelled);
        if (running) {
            opening.running = std::move(*running);
            return;
        }
        opening.refuse(running.error());
        opening.any_tried = true;
    }
}

Expected<RunningDevice> start_directly(const DrivenEngine& engine, const DeviceKind& kind, DeviceDriver& driver,
                                       const DeviceRequest& request) {
    const auto candidates = driver.candidates(request);
    if (!candidates) return std::unexpected(candidates.error());
    auto device = candidates->front().open();
    if (!device) return std::unexpected(device.error());
    RunningDevice running = make_running(engine, kind, std::move(*device));
    running.adapter->grant(engine.gate.start_generation());
    if (auto begun = running.device->start(*running.adapter); !begun) return std::unexpected(begun.error());
    return running;
}

}  // namespace rta::io
