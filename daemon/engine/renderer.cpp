// SPDX-License-Identifier: MIT
#include "engine/renderer.h"

#include <algorithm>
#include <cassert>

#include "dsp/finite.h"
#include "dsp/gain.h"

namespace rta {

Renderer::Renderer(double sample_rate_hz, std::uint32_t block_size, std::size_t targets_per_block,
                   CommandReceiver commands, CommandReceiver scheduled, EventSender returns, EventSender telemetry)
    : block_size_{block_size},
      targets_per_block_{targets_per_block},
      commands_{std::move(commands)},
      scheduled_{std::move(scheduled)},
      returns_{std::move(returns)},
      telemetry_{std::move(telemetry)},
      gains_(block_size, 1.0F),
      output_levels_{kMeteredChannels, sample_rate_hz, block_size},
      clock_{sample_rate_hz} {}

void Renderer::render(const AudioThreadKey& key, const DeviceBlock& device) RTA_NONBLOCKING {
    // Read before any node reads its tap: taps that were enabled before this one then measure this block, too.
    const bool levels_wanted = output_levels_.wanted();
    apply_commands(key);
    for (std::uint32_t channel = 0; channel < device.outputs.channel_count(); ++channel) {
        std::ranges::fill(device.outputs.channel(channel), 0.0F);
    }
    if (plan_ != nullptr) {
        plan_->render(key, device, frame_, crossfade_,
                      {.find_faults = find_faults_, .time_nodes = nodes_timed_.load(std::memory_order_relaxed)});
    }
    // The search starts in the block after a bad one and ends when a block is finite and all faults are reported.
    const bool reported = !find_faults_ || report_faults(key);
    find_faults_ = silence_if_not_finite(device.outputs) || !reported;
    apply_device_gain(device);
    if (levels_wanted) output_levels_.add(frame_, device.outputs.read());
    frame_ += block_size_;
    // release pairs with the acquire in frames(): a reader of the new time finds the events of the block in their
    // rings.
    published_frame_.store(frame_, std::memory_order_release);
}

void Renderer::apply_commands(const AudioThreadKey& key) RTA_NONBLOCKING {
    targets_left_ = targets_per_block_;
    apply_unscheduled(key);
    apply_scheduled(key);
}

void Renderer::apply_unscheduled(const AudioThreadKey& key) RTA_NONBLOCKING {
    std::uint64_t last_serial = 0;
    while (targets_left_ > 0) {
        const auto command = commands_.try_receive(key);
        if (!command) break;
        last_serial = command->serial;
        apply(key, *command);
    }
    if (last_serial == 0) return;
    applied_serial_ = last_serial;
    send_applied(key, Event::Kind::applied, last_serial);
}

/// Applies the scheduled commands whose frames are in the next block. Those without a frame never wait for them.
void Renderer::apply_scheduled(const AudioThreadKey& key) RTA_NONBLOCKING {
    while (true) {
        if (!held_) held_ = scheduled_.try_receive(key);
        if (!held_ || held_->start_frame >= frame_ + block_size_) return;
        // Parameters, too: an earlier command that is still in its ring would otherwise win.
        if (held_->after_serial > applied_serial_) return;
        if (held_->kind == Command::Kind::adopt_plan && targets_left_ == 0) return;
        const Command command = *held_;
        held_.reset();
        apply(key, command);
        send_applied(key, Event::Kind::scheduled_applied, command.serial);
    }
}

void Renderer::send_applied(const AudioThreadKey& key, Event::Kind kind, std::uint64_t serial) RTA_NONBLOCKING {
    Event event{};
    event.kind = kind;
    event.applied = {serial, frame_};
    send_return(key, event);
}

void Renderer::apply(const AudioThreadKey& key, const Command& command) RTA_NONBLOCKING {
    targets_left_ -= std::min<std::size_t>(targets_left_, command.target_count);
    switch (command.kind) {
        case Command::Kind::adopt_plan: {
            Event event{};
            event.kind = Event::Kind::plan_returned;
            event.plan = plan_;
            if (plan_ != nullptr) send_return(key, event);
            plan_ = command.plan;
            if (command.target_count != 0) apply_batch(key, plan_->targets(), frame_);
            return;
        }
        case Command::Kind::set_parameter:
            apply_target(key, command.parameter, std::max(command.start_frame, frame_));
            return;
        case Command::Kind::apply_batch: {
            apply_batch(key, command.batch->targets, std::max(command.start_frame, frame_));
            Event event{};
            event.kind = Event::Kind::batch_returned;
            event.batch = command.batch;
            send_return(key, event);
            return;
        }
        case Command::Kind::fade_device:
            device_gain_.withdraw(frame_);
            device_gain_.retarget(command.fade.gain, command.fade.start_frame(frame_), command.fade.frames(frame_));
            return;
        case Command::Kind::nothing:
            return;
    }
}

/// Nothing was audible before frame 0, so there is nothing to ramp from.
void Renderer::apply_target(const AudioThreadKey& key, const ParameterTarget& target,
                            std::uint64_t start_frame) RTA_NONBLOCKING {
    target.node->retarget(key, target.parameter, target.value, start_frame, start_frame == 0 ? 0 : target.ramp_frames);
}

/// The nodes of a batch are not in a cache: without prefetching, the thread would wait for each of them.
void Renderer::apply_batch(const AudioThreadKey& key, std::span<const ParameterTarget> targets,
                           std::uint64_t start_frame) RTA_NONBLOCKING {
    constexpr std::size_t kAhead = 8;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (i + 2 * kAhead < targets.size()) __builtin_prefetch(targets[i + 2 * kAhead].node, 1);
        if (i + kAhead < targets.size()) {
            const ParameterTarget& ahead = targets[i + kAhead];
            ahead.node->prefetch_ramp(key, ahead.parameter);
        }
        apply_target(key, targets[i], start_frame);
    }
}

void Renderer::send_return(const AudioThreadKey& key, const Event& event) RTA_NONBLOCKING {
    // Cannot fail: each unanswered command causes at most two events, and PlanExchange sizes the ring for all of them.
    [[maybe_unused]] const bool sent = returns_.try_send(key, event);
    assert(sent);
}

void Renderer::apply_device_gain(const DeviceBlock& device) RTA_NONBLOCKING {
    const bool at_rest = device_gain_.at_rest(frame_);
    if (at_rest && device_gain_.target() == 1.0F) return;
    if (!at_rest) device_gain_.render(frame_, gains_);
    for (std::uint32_t channel = 0; channel < device.outputs.channel_count(); ++channel) {
        const auto samples = device.outputs.channel(channel);
        dsp::scale(samples, device_gain_.target(), at_rest ? nullptr : gains_.data(), samples);
    }
    // A gain above 0 dB may overflow. That is not a fault of a node.
    static_cast<void>(silence_if_not_finite(device.outputs));
}

bool Renderer::report_faults(const AudioThreadKey& key) RTA_NONBLOCKING {
    bool all_reported = true;
    if (plan_ == nullptr) return all_reported;
    for (const auto& segment : plan_->segments()) {
        for (const CompiledGraph::Step& step : segment->steps()) {
            const NodeInstance::Fault fault = step.node->fault(key);
            if (!fault.muted || fault.reported) continue;
            Event event{};
            event.kind = Event::Kind::node_faulted;
            event.fault = {step.node->id(), frame_};
            if (telemetry_.try_send(key, event)) {
                step.node->mark_reported(key);
                continue;
            }
            all_reported = false;
            telemetry_dropped_.fetch_add(1, std::memory_order_relaxed);
        }
    }
    return all_reported;
}

}  // namespace rta
