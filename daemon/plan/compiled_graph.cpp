// SPDX-License-Identifier: MIT
#include "plan/compiled_graph.h"

#include <algorithm>

#include "dsp/finite.h"
#include "dsp/gain.h"
#include "rt/cycle_counter.h"

namespace rta {
namespace {

/// How far ahead nodes and processors are fetched into the cache: the steps themselves are read in order, which the CPU
/// foresees, but they point anywhere. See docs/decisions/0004-kernels.md for what it brings.
constexpr std::size_t kPrefetchSteps = 6;

/// A mono source feeds every channel.
std::span<const float> source_channel(const AudioReadView& source, std::uint32_t channel) RTA_NONBLOCKING {
    return source.channel(source.channel_count() == 1 ? 0 : channel);
}

/// The gain is a factor, or a ramp where `ramp` points to one; see dsp/gain.h.
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

/// What of the context is the step's own.
void enter(ProcessContext& context, const CompiledGraph::Step& step) RTA_NONBLOCKING {
    context.inputs = step.inputs;
    context.outputs = step.outputs;
    context.parameters = step.parameters;
}

}  // namespace

void CompiledGraph::render(const AudioThreadKey& key, const DeviceBlock& device, std::uint64_t frame, bool hunt,
                           bool time) RTA_NONBLOCKING {
    ProcessContext context;
    context.frame = frame;
    context.frame_count = block_size_;
    context.device = device;
    if (hunt || !rendered_) {
        for (std::size_t index = 0; index < steps_.size(); ++index) run_carefully(key, index, context, hunt);
    } else if (time && kHasCycleCounter) {
        run_timing_some(key, context);
    } else {
        run(key, 0, steps_.size(), context);
    }
    rendered_ = true;
}

/// The steps from `begin` to `end`.
void CompiledGraph::run(const AudioThreadKey& key, std::size_t begin, std::size_t end,
                        ProcessContext& context) RTA_NONBLOCKING {
    const std::span<const Step> steps{steps_};
    std::size_t next = begin;
    for (auto place = std::ranges::lower_bound(not_plain_, begin); place != not_plain_.end() && *place < end; ++place) {
        run_plain(key, steps.subspan(next, *place - next), context);
        run_carefully(key, *place, context, false);
        next = *place + std::size_t{1};
    }
    run_plain(key, steps.subspan(next, end - next), context);
}

void CompiledGraph::run_timing_some(const AudioThreadKey& key, ProcessContext& context) RTA_NONBLOCKING {
    constexpr std::size_t kFewest = 16;
    const std::size_t count = std::max(kFewest, steps_.size() * block_size_ / kTimingRoundFrames + 1);
    const std::size_t rounds = (steps_.size() + count - 1) / count;
    const std::size_t begin = rounds == 0 ? 0 : context.frame / block_size_ % rounds * count;
    const std::size_t end = std::min(begin + count, steps_.size());
    run(key, 0, begin, context);
    for (std::size_t index = begin; index < end; ++index) {
        const std::uint64_t began = cycle_count();
        run_carefully(key, index, context, false);
        steps_[index].node->add_time(key, cycle_count() - began);
    }
    run(key, end, steps_.size(), context);
}

/// Steps with nothing to mix: this loop is what the engine costs where nothing changes.
void CompiledGraph::run_plain(const AudioThreadKey& key, std::span<const Step> steps,
                              ProcessContext& context) RTA_NONBLOCKING {
    const std::size_t distance = std::min(steps.size(), kPrefetchSteps);
    const Step* ahead = steps.data() + distance;
    const Step* const end = steps.data() + steps.size();
    for (const Step& step : steps) {
        if (ahead != end) {
            __builtin_prefetch(ahead->node);
            __builtin_prefetch(ahead->processor);
            ++ahead;
        }
        if (step.node->needs_care(key)) {
            run_carefully(key, static_cast<std::size_t>(&step - steps_.data()), context, false);
        } else {
            enter(context, step);
            step.processor->process(context);
        }
    }
}

void CompiledGraph::run_carefully(const AudioThreadKey& key, std::size_t index, ProcessContext& context,
                                  bool hunt) RTA_NONBLOCKING {
    const Step& step = steps_[index];
    const StepDetail& detail = details_[index];
    NodeInstance& node = *step.node;
    for (std::uint32_t i = 0; i < detail.delay_count; ++i) delay(delays_[detail.first_delay + i], context.frame, hunt);
    for (std::uint32_t i = 0; i < detail.mix_count; ++i) mix(mixes_[detail.first_mix + i], context.frame);
    enter(context, step);
    if (node.fault(key).muted) {
        for (const AudioWriteView& output : context.outputs) silence(output);
        return;
    }
    if (!rendered_) {
        aim(key, node, detail, context.frame);
        context.silent_frames = silent_frames(index, context.frame);
    }
    node.run(key, context, node_scratch_);

    if (hunt) blame(key, node, context);
}

/// The plan's first block: sends the parameters of the node where the plan wants them.
void CompiledGraph::aim(const AudioThreadKey& key, NodeInstance& node, const StepDetail& detail,
                        std::uint64_t frame) RTA_NONBLOCKING {
    // Nothing has been heard before frame 0, so there is nothing to ramp from.
    const bool start = frame == 0;
    for (std::uint32_t i = 0; i < detail.target_count; ++i) {
        const ParameterTarget& target = targets_[detail.first_target + i];
        node.retarget(key, target.parameter, target.value, frame, start ? 0 : target.ramp_frames);
    }
    node.retarget_presence(key, detail.presence, frame, fade_start(frame), start ? 0 : device_fade_frames_);
}

/// A block was not finite: is it this node that made it so? A sink is judged by what has reached the device.
void CompiledGraph::blame(const AudioThreadKey& key, NodeInstance& node,
                          const ProcessContext& context) RTA_NONBLOCKING {
    bool finite = all_finite(context.device.outputs.read());
    for (const AudioWriteView& output : context.outputs) finite = finite && all_finite(output.read());
    if (finite) return;
    node.mute(key);
    for (const AudioWriteView& output : context.outputs) silence(output);
    silence(context.device.outputs);  // or the sinks behind this one would be blamed for it
}

/// Once a node is hunted that is not finite, nobody behind a delay is to be blamed for what that node said before.
void CompiledGraph::delay(const DelayedInput& input, std::uint64_t frame, bool hunt) RTA_NONBLOCKING {
    ConnectionState& state = *input.state;
    if (hunt) state.clean_until_frame = frame + state.delay->delay_frames() + input.source.frame_count();
    const bool clean = frame < state.clean_until_frame;
    for (std::uint32_t channel = 0; channel < input.destination.channel_count(); ++channel) {
        const std::span<float> out = input.destination.channel(channel);
        state.delay->process(channel, input.source.channel(channel), out);
        if (clean) dsp::finite_or_zero(out, out);
    }
    state.delay->advance(input.source.frame_count());
}

void CompiledGraph::mix(PortMix& port, std::uint64_t frame) RTA_NONBLOCKING {
    if (port.at_rest) {
        mix_rested(port);
    } else {
        port.at_rest = mix_ramped(port, frame);
    }
}

/// With the gains of this block; true if they are at rest from now on.
bool CompiledGraph::mix_ramped(const PortMix& port, std::uint64_t frame) RTA_NONBLOCKING {
    const std::span<float> gains{node_scratch_.data(), block_size_};
    bool all_at_rest = true;
    bool first = true;
    for (std::uint32_t i = 0; i < port.input_count; ++i) {
        const MixInput& input = mix_inputs_[port.first_input + i];
        dsp::Ramp& gain = input.state->gain;
        if (!rendered_) {
            // What was to begin later begins with what this plan changes: two halves of a cross-fade stay together.
            gain.withdraw(frame);
            if (gain.target() != input.target_gain)
                gain.retarget(input.target_gain, fade_start(frame), frame == 0 ? 0 : input.fade_frames);
        }
        const bool at_rest = gain.at_rest(frame);
        all_at_rest = all_at_rest && at_rest;
        if (at_rest && gain.target() == 0.0F) continue;  // a connection at zero gain is not read
        if (!at_rest) gain.render(frame, gains);
        mix_in(input, port.destination, gain.target(), at_rest ? nullptr : gains.data(), first);
        first = false;
    }
    if (first) silence(port.destination);
    return all_at_rest;
}

/// The same bits, several inputs at a time.
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
