// SPDX-License-Identifier: MIT
#include "plan/compiled_graph.h"

#include <algorithm>

#include "dsp/finite.h"
#include "dsp/gain.h"
#include "rt/cycle_counter.h"

namespace rta {
namespace {

/// How far ahead nodes and processors are prefetched. The CPU predicts reads of the steps, which are in order, but not
/// of the objects that they point to. Measurements: docs/decisions/0004-kernels.md.
constexpr std::ptrdiff_t kPrefetchSteps = 6;
/// The same in the first block of a plan, which finds nothing in the caches: the control thread has just written the
/// plan.
constexpr std::ptrdiff_t kFirstPrefetchSteps = 24;
/// How far ahead ramps are prefetched by a node that ramps, because the next nodes often ramp, too.
constexpr std::ptrdiff_t kPrefetchRamps = 3;

/// A mono source feeds all channels.
std::span<const float> source_channel(const AudioReadView& source, std::uint32_t channel) RTA_NONBLOCKING {
    return source.channel(source.channel_count() == 1 ? 0 : channel);
}

/// Mixes one input with a constant gain, or with a ramp if `ramp` is not nullptr; see dsp/gain.h.
void mix_in(const CompiledGraph::MixInput& input, const AudioWriteView& destination, float gain, const float* ramp,
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
void enter(ProcessContext& context, const CompiledGraph::Step& step) RTA_NONBLOCKING {
    context.inputs = step.inputs;
    context.outputs = step.outputs;
    context.parameters = step.parameters;
}

}  // namespace

void CompiledGraph::render(const AudioThreadKey& key, const DeviceBlock& device, std::uint64_t frame,
                           Crossfade& crossfade, const BlockOptions& options) RTA_NONBLOCKING {
    start_round(frame, crossfade);
    ProcessContext context;
    context.frame = frame;
    context.frame_count = block_size_;
    context.device = device;
    if (options.find_faults) {
        for (std::size_t index = 0; index < steps_.size(); ++index) run_full(key, index, context, options.find_faults);
    } else if (options.time_nodes && kHasCycleCounter && rendered_) {
        run_timed(key, context);
    } else {
        run(key, 0, steps_.size(), context);
    }
    rendered_ = true;
}

void CompiledGraph::start_round(std::uint64_t frame, Crossfade& crossfade) RTA_NONBLOCKING {
    // Nothing was audible before frame 0, so there is nothing to fade from.
    if (!rendered_) crossfade.start(round_, frame, frame == 0 ? 0 : round_frames_);
    crossfade_ = &crossfade;
    if (!crossfade.progress().at_rest(frame)) crossfade.progress().render(frame, progress_);
}

/// Runs the steps from `begin` to `end`.
void CompiledGraph::run(const AudioThreadKey& key, std::size_t begin, std::size_t end,
                        ProcessContext& context) RTA_NONBLOCKING {
    const std::span<const Step> steps{steps_};
    std::size_t next = begin;
    for (auto place = std::ranges::lower_bound(full_steps_, begin); place != full_steps_.end() && *place < end;
         ++place) {
        run_plain(key, steps.subspan(next, *place - next), context);
        run_full(key, *place, context, false);
        next = *place + std::size_t{1};
    }
    run_plain(key, steps.subspan(next, end - next), context);
}

/// Runs all steps, and times some of them; the next block times the following ones.
void CompiledGraph::run_timed(const AudioThreadKey& key, ProcessContext& context) RTA_NONBLOCKING {
    constexpr std::size_t kFewest = 16;
    const std::size_t count = std::max(kFewest, steps_.size() * block_size_ / kTimingRoundFrames + 1);
    const std::size_t rounds = (steps_.size() + count - 1) / count;
    const std::size_t begin = rounds == 0 ? 0 : context.frame / block_size_ % rounds * count;
    const std::size_t end = std::min(begin + count, steps_.size());
    run(key, 0, begin, context);
    for (std::size_t index = begin; index < end; ++index) {
        const std::uint64_t began = cycle_count();
        run_full(key, index, context, false);
        steps_[index].node->add_time(key, cycle_count() - began);
    }
    run(key, end, steps_.size(), context);
}

/// Runs steps that have nothing to mix. While nothing changes, this loop is the overhead of the engine.
void CompiledGraph::run_plain(const AudioThreadKey& key, std::span<const Step> steps,
                              ProcessContext& context) RTA_NONBLOCKING {
    const Step* const end = steps.data() + steps.size();
    const Step* const plan_end = steps_.data() + steps_.size();
    const std::ptrdiff_t distance = rendered_ ? kPrefetchSteps : kFirstPrefetchSteps;
    const Step* ahead = steps.data() + std::min(distance, plan_end - steps.data());
    for (const Step& step : steps) {
        if (ahead != plan_end) {
            __builtin_prefetch(ahead->node);
            __builtin_prefetch(ahead->processor);
            ++ahead;
        }
        if (step.node->needs_run(key)) {
            if (end - &step > kPrefetchRamps) (&step)[kPrefetchRamps].node->prefetch_moving_ramp(key);
            enter(context, step);
            run_node(key, step, context);
        } else {
            enter(context, step);
            step.processor->process(context);
        }
    }
}

void CompiledGraph::run_full(const AudioThreadKey& key, std::size_t index, ProcessContext& context,
                             bool find_faults) RTA_NONBLOCKING {
    const Step& step = steps_[index];
    const StepDetail& detail = details_[index];
    NodeInstance& node = *step.node;
    for (std::uint32_t i = 0; i < detail.delay_count; ++i)
        delay(delays_[detail.first_delay + i], context.frame, find_faults);
    if (!rendered_) start_mixes(detail, context.frame);
    for (std::uint32_t i = 0; i < detail.mix_count; ++i) mix(mixes_[detail.first_mix + i], context.frame);
    enter(context, step);
    if (!rendered_ && !node.fault(key).muted) node.move_presence(key, *crossfade_, detail.presence, context.frame);
    run_node(key, step, context);
    for (std::uint32_t i = 0; i < detail.filling_count; ++i)
        delay(delays_[detail.first_delay + detail.delay_count + i], context.frame, find_faults);
    if (find_faults && !node.fault(key).muted) mute_if_faulty(key, node, context);
    for (std::uint32_t i = 0; i < detail.tap_count; ++i) {
        const Tap& tap = taps_[detail.first_tap + i];
        tap.tap->add(context.frame, tap.source);
    }
}

/// Runs the node of a step whose inputs are ready and whose context has been entered.
void CompiledGraph::run_node(const AudioThreadKey& key, const Step& step, ProcessContext& context) RTA_NONBLOCKING {
    if (step.node->fault(key).muted) {
        for (const AudioWriteView& output : context.outputs) silence(output);
    } else {
        step.node->run(key, *step.processor, context, *crossfade_, node_scratch_);
    }
}

/// Moves the presences and gains of a node's connections, in the first block of the plan.
void CompiledGraph::start_mixes(const StepDetail& detail, std::uint64_t frame) RTA_NONBLOCKING {
    for (const PortMix& port : std::span{mixes_}.subspan(detail.first_mix, detail.mix_count)) {
        if (port.at_rest) continue;
        for (const MixInput& input : std::span{mix_inputs_}.subspan(port.first_input, port.input_count)) {
            if (input.at_rest) continue;
            const bool was_absent = input.state->presence.move(*crossfade_, input.presence, frame == 0);
            dsp::Ramp& gain = input.state->gain;
            if (gain.target() != input.target_gain)
                gain.retarget(input.target_gain, frame + input.gain_wait_frames,
                              was_absent ? 0 : input.gain_fade_frames);
        }
    }
}

/// Mutes the node if its outputs, or the device output after a sink, are not finite.
void CompiledGraph::mute_if_faulty(const AudioThreadKey& key, NodeInstance& node,
                                   const ProcessContext& context) RTA_NONBLOCKING {
    // The device is silenced so that later sinks are not muted, too.
    bool finite = !silence_if_not_finite(context.device.outputs);
    for (const AudioWriteView& output : context.outputs) finite = finite && all_finite(output.read());
    if (finite) return;
    node.mute(key);
    for (const AudioWriteView& output : context.outputs) silence(output);
}

/// After a fault, the delays may still contain NaN or infinity from the faulty node. Later nodes must not be muted
/// because of them.
void CompiledGraph::delay(const DelayedInput& input, std::uint64_t frame, bool find_faults) const RTA_NONBLOCKING {
    ConnectionState& state = *input.state;
    dsp::FixedDelay* const fixed = state.delay.get();
    dsp::GlidingDelay* const glide = input.glide;
    if (find_faults) {
        state.clean_until_frame = frame + input.source.frame_count() + (fixed != nullptr ? fixed->delay_frames() : 0) +
                                  (glide != nullptr ? glide->maximum_frames() : 0);
    }
    if (glide != nullptr) {
        if (!rendered_) {
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

void CompiledGraph::mix(PortMix& port, std::uint64_t frame) RTA_NONBLOCKING {
    if (port.at_rest) {
        mix_rested(port);
    } else {
        port.at_rest = mix_ramped(port, frame);
    }
}

/// Mixes with the current gains. Returns whether all of them are at rest from now on.
bool CompiledGraph::mix_ramped(const PortMix& port, std::uint64_t frame) RTA_NONBLOCKING {
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
        const bool presence_rests = presence.at_rest(*crossfade_, frame);
        const bool at_rest = presence_rests && gain.at_rest(frame);
        all_at_rest = all_at_rest && at_rest;
        if (presence_rests && presence.target() == 0.0F) continue;  // an absent connection is not read
        if (at_rest && gain.target() == 0.0F) continue;             // nor is one at zero gain
        mix_in(input, port.destination, gain.target(), at_rest ? nullptr : factors_of(input, frame), first);
        first = false;
    }
    if (first) silence(port.destination);
    return all_at_rest;
}

/// Computes gain x presence for each frame of the block, of an input that is not at rest.
const float* CompiledGraph::factors_of(const MixInput& input, std::uint64_t frame) RTA_NONBLOCKING {
    const Presence& presence = input.state->presence;
    const dsp::Ramp& gain = input.state->gain;
    const std::span<float> factors = std::span{node_scratch_}.first(block_size_);
    if (presence.at_rest(*crossfade_, frame)) {  // at 1
        gain.render(frame, factors);
        return factors.data();
    }
    presence.render(progress_, factors);
    if (!gain.at_rest(frame)) {
        const std::span<float> gains = std::span{node_scratch_}.subspan(block_size_, block_size_);
        gain.render(frame, gains);
        dsp::scale(factors, 0.0F, gains.data(), factors);
    } else if (gain.target() != 1.0F) {
        dsp::scale(factors, gain.target(), nullptr, factors);
    }
    return factors.data();
}

/// Mixes several inputs at a time, with bitwise the same result.
void CompiledGraph::mix_rested(const PortMix& port) const RTA_NONBLOCKING {
    if (port.factor_count == 0) return silence(port.destination);
    const std::span factors = std::span{rested_factors_}.subspan(port.first_factor, port.factor_count);
    for (std::uint32_t channel = 0; channel < port.destination.channel_count(); ++channel) {
        const std::span ins = std::span{rested_channels_}.subspan(
            port.first_channel + std::size_t{channel} * port.factor_count, port.factor_count);
        dsp::sum_scaled(ins, factors, port.destination.channel(channel));
    }
}

}  // namespace rta
