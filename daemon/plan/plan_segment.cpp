// SPDX-License-Identifier: MIT
#include "plan/plan_segment.h"

#include <algorithm>

#include "dsp/finite.h"
#include "dsp/gain.h"
#include "rt/cycle_counter.h"

namespace rta {
namespace {

/// kPrefetchSteps in the first block of a plan, which finds nothing in the caches: the control thread has just written the
/// plan.
constexpr std::ptrdiff_t kFirstPrefetchSteps = 24;
/// How far ahead ramps are prefetched by a node that ramps, because the next nodes often ramp, too.
constexpr std::ptrdiff_t kPrefetchRamps = 3;

/// A mono source feeds all channels.
std::span<const float> source_channel(const AudioReadView& source, std::uint32_t channel) RTA_NONBLOCKING {
    return source.channel(source.channel_count() == 1 ? 0 : channel);
}

/// Mixes one input with a constant gain, or with a ramp if `ramp` is not nullptr; see dsp/gain.h.
void mix_in(const PlanSegment::MixInput& input, const AudioWriteView& destination, float gain, const float* ramp,
            bool first) RTA_NONBLOCKING {
    for (std::uint32_t channel = 0; channel < destination.channel_count(); ++channel) {
        const auto in = source_channel(input.source, channel);
        const auto out = destination.channel(channel);
        if (first) {
            dsp::scale(in, gain, ramp, out);
        } else {
            dsp::add_scaled(in, gain, ramp, out);
        }
    }
}

void silence(const AudioWriteView& view) RTA_NONBLOCKING {
    for (std::uint32_t channel = 0; channel < view.channel_count(); ++channel)
        std::ranges::fill(view.channel(channel), 0.0F);
}

bool all_finite(const AudioReadView& view) RTA_NONBLOCKING {
    for (std::uint32_t channel = 0; channel < view.channel_count(); ++channel) {
        if (!dsp::all_finite(view.channel(channel))) return false;
    }
    return true;
}

}  // namespace

bool silence_if_not_finite(const AudioWriteView& view) RTA_NONBLOCKING {
    bool silenced = false;
    for (std::uint32_t channel = 0; channel < view.channel_count(); ++channel) {
        const std::span<float> samples = view.channel(channel);
        if (dsp::all_finite(samples)) continue;
        std::ranges::fill(samples, 0.0F);
        silenced = true;
    }
    return silenced;
}

namespace {

/// Sets the parts of the context that belong to the step.
void enter(ProcessContext& context, const PlanSegment::Step& step) RTA_NONBLOCKING {
    context.inputs = step.inputs;
    context.outputs = step.outputs;
    context.parameters = step.parameters;
}

/// Runs the node of a step whose inputs are ready and whose context has been entered.
void run_node(const PlanBlock& block, const PlanSegment::Step& step) RTA_NONBLOCKING {
    if (step.node->fault(block.key).muted) {
        for (const AudioWriteView& output : block.context.outputs) silence(output);
    } else {
        step.node->run(block.key, *step.processor, block.context, block.crossfade, block.scratch);
    }
}

/// Mutes the node if its outputs, or the device output after a sink, are not finite.
void mute_if_faulty(const PlanBlock& block, NodeInstance& node) RTA_NONBLOCKING {
    // The device is silenced so that later sinks are not muted, too.
    bool finite = !silence_if_not_finite(block.context.device.outputs);
    for (const AudioWriteView& output : block.context.outputs) finite = finite && all_finite(output.read());
    if (finite) return;
    node.mute(block.key);
    for (const AudioWriteView& output : block.context.outputs) silence(output);
}

/// Computes gain x presence for each frame of the block, of an input that is not at rest.
const float* factors_of(const PlanBlock& block, const PlanSegment::MixInput& input) RTA_NONBLOCKING {
    const std::uint64_t frame = block.context.frame;
    const std::size_t frame_count = block.context.frame_count;
    const Presence& presence = input.state->presence;
    const dsp::Ramp& gain = input.state->gain;
    const std::span<float> factors = block.scratch.first(frame_count);
    if (presence.at_rest(block.crossfade, frame)) {  // at 1
        gain.render(frame, factors);
        return factors.data();
    }
    presence.render(block.progress, factors);
    if (!gain.at_rest(frame)) {
        const std::span<float> gains = block.scratch.subspan(frame_count, frame_count);
        gain.render(frame, gains);
        dsp::scale(factors, 0.0F, gains.data(), factors);
    } else if (gain.target() != 1.0F) {
        dsp::scale(factors, gain.target(), nullptr, factors);
    }
    return factors.data();
}

}  // namespace

void PlanSegment::run_each(const PlanBlock& block, std::size_t begin, std::size_t end, bool timed) RTA_NONBLOCKING {
    for (std::size_t index = begin; index < end; ++index) {
        const std::uint64_t began = timed ? cycle_count() : 0;
        run_full(block, index);
        if (timed) steps_[index].node->add_time(block.key, cycle_count() - began);
    }
}

void PlanSegment::run(const PlanBlock& block, std::size_t begin, std::size_t end) RTA_NONBLOCKING {
    const std::span<const Step> steps{steps_};
    std::size_t next = begin;
    for (auto place = std::ranges::lower_bound(full_steps_, begin); place != full_steps_.end() && *place < end;
         ++place) {
        run_plain(block, steps.subspan(next, *place - next));
        run_full(block, *place);
        next = *place + std::size_t{1};
    }
    run_plain(block, steps.subspan(next, end - next));
}

/// Runs steps that have nothing to mix. While nothing changes, this loop is the overhead of the engine.
void PlanSegment::run_plain(const PlanBlock& block, std::span<const Step> steps) RTA_NONBLOCKING {
    ProcessContext& context = block.context;
    const Step* const end = steps.data() + steps.size();
    const Step* const segment_end = steps_.data() + steps_.size();
    const std::ptrdiff_t distance = block.is_first ? kFirstPrefetchSteps : kPrefetchSteps;
    const Step* ahead = steps.data() + std::min(distance, segment_end - steps.data());
    for (const Step& step : steps) {
        if (ahead != segment_end) {
            __builtin_prefetch(ahead->node);
            __builtin_prefetch(ahead->processor);
            ++ahead;
        }
        if (step.node->needs_run(block.key)) {
            if (end - &step > kPrefetchRamps) (&step)[kPrefetchRamps].node->prefetch_moving_ramp(block.key);
            enter(context, step);
            run_node(block, step);
        } else {
            enter(context, step);
            step.processor->process(context);
        }
    }
}

void PlanSegment::run_full(const PlanBlock& block, std::size_t index) RTA_NONBLOCKING {
    const Step& step = steps_[index];
    const StepDetail& detail = details_[index];
    NodeInstance& node = *step.node;
    ProcessContext& context = block.context;
    for (std::uint32_t i = 0; i < detail.delay_count; ++i) delay(block, delays_[detail.first_delay + i]);
    if (block.is_first) start_mixes(block, detail);
    for (std::uint32_t i = 0; i < detail.mix_count; ++i) mix(block, mixes_[detail.first_mix + i]);
    enter(context, step);
    if (block.is_first && !node.fault(block.key).muted)
        node.move_presence(block.key, block.crossfade, detail.presence, context.frame);
    run_node(block, step);
    for (std::uint32_t i = 0; i < detail.filling_count; ++i)
        delay(block, delays_[detail.first_delay + detail.delay_count + i]);
    if (block.find_faults && !node.fault(block.key).muted) mute_if_faulty(block, node);
    for (std::uint32_t i = 0; i < detail.tap_count; ++i) {
        const Tap& tap = taps_[detail.first_tap + i];
        tap.tap->add(context.frame, tap.source);
    }
}

/// Moves the presences and gains of a node's connections, in the first block of the plan.
void PlanSegment::start_mixes(const PlanBlock& block, const StepDetail& detail) RTA_NONBLOCKING {
    const std::uint64_t frame = block.context.frame;
    for (const PortMix& port : std::span{mixes_}.subspan(detail.first_mix, detail.mix_count)) {
        if (port.at_rest) continue;
        for (const MixInput& input : std::span{mix_inputs_}.subspan(port.first_input, port.input_count)) {
            if (input.at_rest) continue;
            const bool was_absent = input.state->presence.move(block.crossfade, input.presence, frame == 0);
            dsp::Ramp& gain = input.state->gain;
            if (gain.target() != input.target_gain)
                gain.retarget(input.target_gain, frame + input.gain_wait_frames,
                              was_absent ? 0 : input.gain_fade_frames);
        }
    }
}

/// After a fault, the delays may still contain NaN or infinity from the faulty node. Later nodes must not be muted
/// because of them.
void PlanSegment::delay(const PlanBlock& block, const DelayedInput& input) const RTA_NONBLOCKING {
    const std::uint64_t frame = block.context.frame;
    ConnectionState& state = *input.state;
    dsp::FixedDelay* const fixed = state.delay.get();
    dsp::GlidingDelay* const glide = input.glide;
    if (block.find_faults) {
        state.clean_until_frame = frame + input.source.frame_count() + (fixed != nullptr ? fixed->delay_frames() : 0) +
                                  (glide != nullptr ? glide->maximum_frames() : 0);
    }
    if (glide != nullptr) {
        if (block.is_first) {
            glide->move_to(input.glide_frames, frame, frame == 0 ? 0 : input.glide_length_frames, input.glide_order);
        }
        glide->start_block(frame);
    }
    const bool clean = frame < state.clean_until_frame;
    for (std::uint32_t channel = 0; channel < input.destination.channel_count(); ++channel) {
        std::span<const float> in = input.source.channel(channel);
        const std::span<float> out = input.destination.channel(channel);
        if (fixed != nullptr) {
            fixed->process(channel, in, out);
            in = out;
        }
        if (glide != nullptr) glide->process(channel, in, out);
        if (clean) dsp::finite_or_zero(out, out);
    }
    if (fixed != nullptr) fixed->advance(input.source.frame_count());
    if (glide != nullptr) glide->advance();
}

void PlanSegment::mix(const PlanBlock& block, PortMix& port) RTA_NONBLOCKING {
    if (port.at_rest) {
        mix_rested(port);
    } else {
        port.at_rest = mix_ramped(block, port);
    }
}

/// Mixes with the current gains. Returns whether all of them are at rest from now on.
bool PlanSegment::mix_ramped(const PlanBlock& block, const PortMix& port) RTA_NONBLOCKING {
    const std::uint64_t frame = block.context.frame;
    bool all_at_rest = true;
    bool first = true;
    for (const MixInput& input : std::span{mix_inputs_}.subspan(port.first_input, port.input_count)) {
        if (input.at_rest) {
            if (input.target_gain == 0.0F) continue;
            mix_in(input, port.destination, input.target_gain, nullptr, first);
            first = false;
            continue;
        }
        const Presence& presence = input.state->presence;
        const dsp::Ramp& gain = input.state->gain;
        const bool presence_rests = presence.at_rest(block.crossfade, frame);
        const bool at_rest = presence_rests && gain.at_rest(frame);
        all_at_rest = all_at_rest && at_rest;
        if (presence_rests && presence.target() == 0.0F) continue;  // an absent connection is not read
        if (at_rest && gain.target() == 0.0F) continue;             // nor is one at zero gain
        mix_in(input, port.destination, gain.target(), at_rest ? nullptr : factors_of(block, input), first);
        first = false;
    }
    if (first) silence(port.destination);
    return all_at_rest;
}

/// Mixes several inputs at a time, with bitwise the same result.
void PlanSegment::mix_rested(const PortMix& port) const RTA_NONBLOCKING {
    if (port.factor_count == 0) return silence(port.destination);
    const std::span factors = std::span{rested_factors_}.subspan(port.first_factor, port.factor_count);
    for (std::uint32_t channel = 0; channel < port.destination.channel_count(); ++channel) {
        const std::span ins = std::span{rested_channels_}.subspan(
            port.first_channel + std::size_t{channel} * port.factor_count, port.factor_count);
        dsp::sum_scaled(ins, factors, port.destination.channel(channel));
    }
}

}  // namespace rta
